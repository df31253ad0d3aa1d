"""Asks as calls of the Wallet's gRPC services, and what they answer in the oracle's words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from privy.wallet.v1 import (
    amount_pb2,
    event_log_pb2_grpc,
    feed_pb2_grpc,
    ledger_pb2,
    ledger_pb2_grpc,
    lot_pb2,
    wallet_pb2_grpc,
)
from privy.wallet.v1 import wallet_pb2 as pb

from shared.idempotency import digest
from tests.acceptance.clients import failure_of, new_id
from tests.asks import NEVER, PLAIN, Ask, Balance, Reply, Terms

TIMEOUT_S = 30


class WalletCalls:
    """What callers of one Wallet process do."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.wallets = wallet_pb2_grpc.WalletServiceStub(channel)
        self.ledger = ledger_pb2_grpc.LedgerServiceStub(channel)
        self.events = event_log_pb2_grpc.EventLogServiceStub(channel)
        self.feed = feed_pb2_grpc.EventFeedServiceStub(channel)

    async def create_wallet(self) -> str:
        wallet = pb.Wallet(type=pb.WALLET_TYPE_PERSONAL, display_name="somebody")
        request = pb.CreateWalletRequest(request_id=new_id(), wallet=wallet)
        return (await self.wallets.CreateWallet(request, timeout=TIMEOUT_S)).wallet.wallet_id

    async def post(self, plans: Sequence[ledger_pb2.Plan]) -> Sequence[ledger_pb2.PlanResult]:
        request = ledger_pb2.PostBatchRequest(plans=plans)
        return (await self.ledger.PostBatch(request, timeout=TIMEOUT_S)).results

    async def change(self, ask: Ask) -> str:
        """Change a wallet; answer the reason of a refusal."""
        try:
            await self._change(ask)
        except grpc.aio.AioRpcError as error:
            return failure_of(error).reason
        return ""

    async def _change(self, ask: Ask) -> None:
        name, wallet, asset, minor = ask.request_id, ask.wallet, ask.asset, ask.minor
        match ask.kind:
            case "FREEZE":
                freeze = pb.FreezeWalletRequest(request_id=name, wallet_id=wallet)
                await self.wallets.FreezeWallet(freeze, timeout=TIMEOUT_S)
            case "UNFREEZE":
                unfreeze = pb.UnfreezeWalletRequest(request_id=name, wallet_id=wallet)
                await self.wallets.UnfreezeWallet(unfreeze, timeout=TIMEOUT_S)
            case "CLOSE":
                close = pb.CloseWalletRequest(request_id=name, wallet_id=wallet)
                await self.wallets.CloseWallet(close, timeout=TIMEOUT_S)
            case "CREDIT":
                limit = pb.SetCreditLimitRequest(
                    request_id=name, wallet_id=wallet, asset_code=asset, credit_limit_minor=minor
                )
                await self.wallets.SetCreditLimit(limit, timeout=TIMEOUT_S)

    async def balances(self, wallet: str, as_of: datetime = NEVER) -> dict[str, Balance]:
        request = pb.GetBalancesRequest(wallet_id=wallet, as_of_time=_timestamp(as_of))
        answer = await self.wallets.GetBalances(request, timeout=TIMEOUT_S)
        return {each.asset_code: balance_of(each) for each in answer.balances}

    async def lots(self, wallet: str, asset: str) -> list[lot_pb2.Lot]:
        request = pb.ListLotsRequest(wallet_id=wallet, asset_code=asset)
        return list((await self.wallets.ListLots(request, timeout=TIMEOUT_S)).lots)

    async def transaction(self, transaction_id: str) -> ledger_pb2.Transaction:
        request = ledger_pb2.GetTransactionRequest(transaction_id=transaction_id)
        return (await self.ledger.GetTransaction(request, timeout=TIMEOUT_S)).transaction

    async def findings(self) -> list[ledger_pb2.VerifyFinding]:
        stream = self.ledger.VerifyLedger(ledger_pb2.VerifyLedgerRequest(), timeout=TIMEOUT_S)
        return [each.finding async for each in stream if each.HasField("finding")]

    async def trial_balance(self, as_of: datetime = NEVER) -> Counter[tuple[str, str]]:
        """Answer what the accounts of each type come to, by type and asset."""
        request = ledger_pb2.GetTrialBalanceRequest(as_of_time=_timestamp(as_of))
        lines = (await self.ledger.GetTrialBalance(request, timeout=TIMEOUT_S)).lines
        return Counter(
            {(_type(each.account_type), each.asset_code): each.amount_minor for each in lines}
        )


def balance_of(balance: pb.Balance) -> Balance:
    return (
        balance.posted_minor,
        balance.held_minor,
        balance.available_minor,
        balance.credit_limit_minor,
    )


def plan_of(ask: Ask, numbers: Mapping[str, str], group_id: str = "") -> ledger_pb2.Plan:
    """Say on the wire what is asked; `numbers` has the ids of what was posted, bare."""
    plan = ledger_pb2.Plan(
        request_id=ask.request_id,
        body_digest=digest(repr(ask).encode()),
        kind=ledger_pb2.TransactionKind.Value(f"TRANSACTION_KIND_{ask.kind}"),
        wallet_id=ask.wallet,
        legs=[_leg(owner, of_type, asset, minor) for (owner, of_type, asset), minor in ask.legs],
        effective_time=_timestamp(ask.effective_at),
        validate_only=ask.validate_only,
        lot=_lot(ask.terms),
        group_id=group_id,
    )
    _say_what_it_is_about(ask, numbers.get(ask.of, "1"), plan)
    return plan


def _say_what_it_is_about(ask: Ask, number: str, plan: ledger_pb2.Plan) -> None:
    amount = amount_pb2.Amount(asset_code=ask.asset, minor_units=ask.minor)
    match ask.kind:
        case "BOOKING":
            plan.open_hold.amount.CopyFrom(amount)
            if ask.expires_at != NEVER:
                plan.open_hold.expire_time.FromDatetime(ask.expires_at)
        case "COMMIT":
            plan.capture_hold.booking_id = f"bkg_{number}"
            plan.capture_hold.amount.CopyFrom(amount)
        case "CANCELLATION":
            plan.release_hold.booking_id = f"bkg_{number}"
        case "VOID":
            plan.void_of.transaction_id = f"txn_{number}"
            plan.void_of.amount_minor = ask.minor


def _leg(owner: str, account_type: str, asset: str, minor: int) -> ledger_pb2.Leg:
    of_type = ledger_pb2.AccountType.Value(f"ACCOUNT_TYPE_{account_type}")
    return ledger_pb2.Leg(
        wallet_id=owner, account_type=of_type, asset_code=asset, amount_minor=minor
    )


def _type(account_type: ledger_pb2.AccountType.ValueType) -> str:
    return ledger_pb2.AccountType.Name(account_type).removeprefix("ACCOUNT_TYPE_")


def _lot(terms: Terms) -> lot_pb2.LotTerms | None:
    if terms == PLAIN:
        return None
    return lot_pb2.LotTerms(
        kind=lot_pb2.LotKind.Value(f"LOT_KIND_{terms.kind}"),
        priority=terms.priority,
        expire_time=_timestamp(terms.expires_at),
    )


def _timestamp(moment: datetime) -> Timestamp | None:
    if moment == NEVER:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def reply_of(ask: Ask, result: ledger_pb2.PlanResult) -> Reply:
    """Say an answer in the oracle's words; what was posted has the legs that were asked."""
    if result.HasField("refusal"):
        return Reply(result.refusal.reason)
    entries = result.transaction.entries
    moved = {
        (each.wallet_id, _type(each.account_type), each.amount.asset_code): minor
        for each in entries
        if (minor := each.amount.minor_units)
    }
    assert ask.kind == "VOID" or moved == dict(ask.legs)
    own = [each for each in entries if each.wallet_id]
    return Reply(
        "",
        {(each.wallet_id, each.amount.asset_code): balance_of(each.balance_after) for each in own},
    )
