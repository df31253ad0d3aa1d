"""A tree's wallets and what is asked of them as calls of the Wallet's gRPC services."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct
from privy.wallet.v1 import amount_pb2, ledger_pb2
from privy.wallet.v1 import wallet_pb2 as pb

from shared.idempotency import digest
from tests import asks
from tests.acceptance.clients import new_id
from tests.tree_asks import Act, Limit, Node, Shares, Tree
from tests.wallet_calls import TIMEOUT_S, WalletCalls, plan_of

TOGETHER = 20
"""How many calls are under way at a time where each wallet is asked."""


class Spent(NamedTuple):
    """What was spent against a limit, and when its stretch of time began."""

    wallet: str
    limit: Limit
    minor: int
    since: datetime


class TreeCalls:
    """What callers of one Wallet process ask of a tree; `ids` are the wallets' by their names."""

    def __init__(self, calls: WalletCalls, ids: Mapping[str, str]) -> None:
        self.calls = calls
        self._ids = ids
        self._names = {wallet_id: name for name, wallet_id in ids.items()}

    async def fund(self, funds: Mapping[str, int]) -> None:
        some = [
            asks.top_up(new_id(), self._ids[name], "IDR", minor) for name, minor in funds.items()
        ]
        results = await self.calls.post([plan_of(each, {}) for each in some])
        assert all(each.HasField("transaction") for each in results)

    async def ask(
        self, acts: Sequence[Act], numbers: Mapping[str, str], grouped: int = 0
    ) -> Sequence[ledger_pb2.PlanResult]:
        """Post acts in one call, the first few as a group.

        `numbers` has the ids of what was posted, bare.
        """
        groups = [acts[0].name] * grouped + [""] * len(acts)
        plans = zip(acts, groups, strict=False)
        return await self.calls.post(
            [self._plan(each, numbers.get(each.of, ""), group_id) for each, group_id in plans]
        )

    def shares_of(self, result: ledger_pb2.PlanResult) -> str | Shares:
        """Answer a refusal's reason; or how much of each wallet was moved, or held or freed."""
        if result.HasField("refusal"):
            return result.refusal.reason
        return {
            self._names[each.wallet_id]: abs(each.amount.minor_units or each.held_change_minor)
            for each in result.transaction.entries
            if each.wallet_id
        }

    def balances_after(self, result: ledger_pb2.PlanResult) -> dict[str, tuple[int, int]]:
        return {
            self._names[each.wallet_id]: _posted_and_held(each.balance_after)
            for each in result.transaction.entries
            if each.wallet_id
        }

    async def balance(self, name: str) -> tuple[int, int]:
        """Answer what is posted and held."""
        request = pb.GetBalancesRequest(wallet_id=self._ids[name])
        balances = (await self.calls.wallets.GetBalances(request, timeout=TIMEOUT_S)).balances
        return _posted_and_held(balances[0]) if balances else (0, 0)

    async def spending(self, name: str) -> list[Spent]:
        request = pb.GetSpendingRequest(wallet_id=self._ids[name])
        answer = await self.calls.wallets.GetSpending(request, timeout=TIMEOUT_S)
        return [self._spent(each) for each in answer.spending]

    def _spent(self, spending: pb.Spending) -> Spent:
        limit, since = spending.limit, spending.start_time.ToDatetime(UTC)
        period = pb.LimitPeriod.Name(limit.period).removeprefix("LIMIT_PERIOD_")
        told = Limit(period, limit.limit_minor, limit.product_code)
        return Spent(self._names[spending.wallet_id], told, spending.spent_minor, since)

    def _plan(self, act: Act, number: str, group_id: str) -> ledger_pb2.Plan:
        plan = ledger_pb2.Plan(
            request_id=act.name,
            body_digest=digest(repr(act).encode()),
            kind=ledger_pb2.TransactionKind.Value(f"TRANSACTION_KIND_{act.kind}"),
            wallet_id=self._ids[act.wallet],
            group_id=group_id,
        )
        amount = amount_pb2.Amount(asset_code="IDR", minor_units=act.minor)
        match act.kind:
            case "USAGE":
                plan.legs.append(_revenue(act.minor))
            case "BOOKING":
                plan.open_hold.amount.CopyFrom(amount)
            case "COMMIT":
                plan.legs.append(_revenue(act.minor))
                plan.capture_hold.booking_id = f"bkg_{number}"
                plan.capture_hold.amount.CopyFrom(amount)
            case "CANCELLATION":
                plan.release_hold.booking_id = f"bkg_{number}"
                plan.release_hold.asset_code = "IDR"
            case "VOID":
                plan.void_of.transaction_id = f"txn_{number}"
                plan.void_of.amount_minor = act.minor
        if act.kind in {"USAGE", "BOOKING", "COMMIT"}:
            plan.spend.amount.CopyFrom(amount)
            plan.spend.product_code = act.product
        return plan


async def plant(calls: WalletCalls, tree: Tree) -> dict[str, str]:
    """Create a tree's wallets, level by level; answer their ids by their names."""
    ids, turns = {"": ""}, asyncio.Semaphore(TOGETHER)

    async def create(name: str) -> None:
        async with turns:
            ids[name] = await _create(calls, tree[name], ids[tree[name].parent])

    while level := [name for name in tree if name not in ids and tree[name].parent in ids]:
        await asyncio.gather(*map(create, level))
    return ids


async def _create(calls: WalletCalls, node: Node, parent_id: str) -> str:
    limits = [
        pb.SpendingLimit(
            asset_code="IDR",
            limit_minor=each.minor,
            period=pb.LimitPeriod.Value(f"LIMIT_PERIOD_{each.period}"),
            product_code=each.product,
        )
        for each in node.limits
    ]
    source = pb.FundingSource.Value(f"FUNDING_SOURCE_{node.source}")
    role = {"role": "CHANNEL"} if node.type == "ENTERPRISE" else {}
    wallet = pb.Wallet(
        type=pb.WalletType.Value(f"WALLET_TYPE_{node.type}"),
        display_name="a node",
        parent_wallet_id=parent_id,
        attributes=ParseDict(role, Struct()),
        policy=pb.SpendingPolicy(funding_source=source, limits=limits, time_zone=node.zone),
    )
    request = pb.CreateWalletRequest(request_id=new_id(), wallet=wallet)
    return (await calls.wallets.CreateWallet(request, timeout=TIMEOUT_S)).wallet.wallet_id


def _revenue(minor: int) -> ledger_pb2.Leg:
    return ledger_pb2.Leg(
        account_type=ledger_pb2.ACCOUNT_TYPE_REVENUE, asset_code="IDR", amount_minor=-minor
    )


def _posted_and_held(balance: pb.Balance) -> tuple[int, int]:
    return balance.posted_minor, balance.held_minor
