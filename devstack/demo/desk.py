"""Calls to both services, as any caller would make them."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime

import grpc
from privy.transaction.v1 import enterprise_pb2, enterprise_pb2_grpc, transaction_pb2_grpc
from privy.transaction.v1 import transaction_pb2 as pb
from privy.wallet.v1 import ledger_pb2, ledger_pb2_grpc, lot_pb2, wallet_pb2, wallet_pb2_grpc
from privy.wallet.v1.amount_pb2 import Amount

from shared.errors import DomainError
from shared.rpc_client import error_of


@dataclass(frozen=True, slots=True)
class Booked:
    """An accepted action: as the front door answered it, and as it stands in the books."""

    answer: pb.Transaction
    ledger: ledger_pb2.Transaction

    @property
    def moves(self) -> bool:
        """Whether money moved; a booking and a cancellation only set it aside or free."""
        return any(entry.amount.minor_units for entry in self.ledger.entries)


class UnexpectedlyAcceptedError(Exception):
    """What the books must refuse went through."""


class Desk:
    """One method for each kind of call; every mutating one takes the request id to use.

    Raises `grpc.aio.AioRpcError`.
    """

    def __init__(self, transaction: grpc.aio.Channel, wallet: grpc.aio.Channel) -> None:
        self._front: transaction_pb2_grpc.TransactionServiceAsyncStub = (
            transaction_pb2_grpc.TransactionServiceStub(transaction)
        )
        self._enterprises: enterprise_pb2_grpc.EnterpriseServiceAsyncStub = (
            enterprise_pb2_grpc.EnterpriseServiceStub(transaction)
        )
        self._wallets: wallet_pb2_grpc.WalletServiceAsyncStub = wallet_pb2_grpc.WalletServiceStub(
            wallet
        )
        self._ledger: ledger_pb2_grpc.LedgerServiceAsyncStub = ledger_pb2_grpc.LedgerServiceStub(
            wallet
        )

    async def open_wallet(self, wallet: wallet_pb2.Wallet) -> wallet_pb2.Wallet:
        request_id = f"open-{wallet.display_name}"
        request = wallet_pb2.CreateWalletRequest(request_id=request_id, wallet=wallet)
        return (await self._wallets.CreateWallet(request)).wallet

    async def top_up(
        self, request_id: str, wallet_id: str, asset_code: str, amount_minor: int
    ) -> Booked:
        amount = Amount(asset_code=asset_code, minor_units=amount_minor)
        request = pb.TopUpRequest(request_id=request_id, wallet_id=wallet_id, amount=amount)
        return await self._booked((await self._front.TopUp(request)).transaction)

    async def give_bonus(
        self,
        request_id: str,
        wallet_id: str,
        asset_code: str,
        amount_minor: int,
        expires_at: datetime,
    ) -> Booked:
        """Top up by a lot that is drawn first, and expires."""
        amount = Amount(asset_code=asset_code, minor_units=amount_minor)
        terms = lot_pb2.LotTerms(kind=lot_pb2.LOT_KIND_BONUS, priority=10)
        terms.expire_time.FromDatetime(expires_at)
        request = pb.TopUpRequest(
            request_id=request_id, wallet_id=wallet_id, amount=amount, lot=terms
        )
        return await self._booked((await self._front.TopUp(request)).transaction)

    async def quote(
        self, wallet_id: str, product_code: str, quantity: int
    ) -> pb.QuoteUsageResponse:
        return await self._front.QuoteUsage(
            pb.QuoteUsageRequest(wallet_id=wallet_id, product_code=product_code, quantity=quantity)
        )

    async def use(
        self, request_id: str, wallet_id: str, product_code: str, quantity: int
    ) -> Booked:
        request = pb.RecordUsageRequest(
            request_id=request_id, wallet_id=wallet_id, product_code=product_code, quantity=quantity
        )
        return await self._booked((await self._front.RecordUsage(request)).transaction)

    async def book(
        self, request_id: str, wallet_id: str, product_code: str, quantity: int
    ) -> Booked:
        request = pb.BookUsageRequest(
            request_id=request_id, wallet_id=wallet_id, product_code=product_code, quantity=quantity
        )
        return await self._booked((await self._front.BookUsage(request)).transaction)

    async def commit(self, request_id: str, booking_id: str, quantity: int) -> Booked:
        request = pb.CommitUsageRequest(
            request_id=request_id, booking_id=booking_id, quantity=quantity
        )
        return await self._booked((await self._front.CommitUsage(request)).transaction)

    async def cancel(self, request_id: str, booking_id: str) -> Booked:
        request = pb.CancelUsageRequest(request_id=request_id, booking_id=booking_id)
        return await self._booked((await self._front.CancelUsage(request)).transaction)

    async def transfer(
        self, request_id: str, source: str, target: str, asset_code: str, amount_minor: int
    ) -> Booked:
        request = pb.TransferRequest(
            request_id=request_id,
            source_wallet_id=source,
            target_wallet_id=target,
            amount=Amount(asset_code=asset_code, minor_units=amount_minor),
        )
        return await self._booked((await self._front.Transfer(request)).transaction)

    async def void(
        self, request_id: str, transaction_id: str, asset_code: str, amount_minor: int
    ) -> Booked:
        amount = Amount(asset_code=asset_code, minor_units=amount_minor)
        request = pb.VoidTransactionRequest(
            request_id=request_id, transaction_id=transaction_id, amount=amount
        )
        return await self._booked((await self._front.VoidTransaction(request)).transaction)

    async def assign(
        self, request_id: str, giver: str, target: str, asset_code: str, amount_minor: int
    ) -> Booked:
        request = enterprise_pb2.AssignBalanceRequest(
            request_id=request_id,
            wallet_id=giver,
            target_wallet_id=target,
            amount=Amount(asset_code=asset_code, minor_units=amount_minor),
        )
        return await self._booked((await self._enterprises.AssignBalance(request)).transaction)

    async def unassign(
        self, request_id: str, giver: str, target: str, asset_code: str, amount_minor: int
    ) -> Booked:
        request = enterprise_pb2.UnassignBalanceRequest(
            request_id=request_id,
            wallet_id=giver,
            target_wallet_id=target,
            amount=Amount(asset_code=asset_code, minor_units=amount_minor),
        )
        return await self._booked((await self._enterprises.UnassignBalance(request)).transaction)

    async def post(self, plan: ledger_pb2.Plan) -> Booked:
        """Post to the ledger, past the front door."""
        answer = await self._ledger.PostBatch(ledger_pb2.PostBatchRequest(plans=[plan]))
        return await self._found(answer.results[0].transaction.transaction_id)

    async def breakage_of(self, wallet_id: str) -> Booked | None:
        """Find what expired of a wallet's lots, if something did by now."""
        request = pb.ListTransactionsRequest(wallet_id=wallet_id)
        for each in (await self._front.ListTransactions(request)).transactions:
            if each.kind == ledger_pb2.TRANSACTION_KIND_BREAKAGE:
                return await self._booked(each)
        return None

    async def balances(self, wallet_id: str) -> Sequence[wallet_pb2.Balance]:
        request = wallet_pb2.GetBalancesRequest(wallet_id=wallet_id)
        return (await self._wallets.GetBalances(request)).balances

    async def _found(self, transaction_id: str) -> Booked:
        request = pb.GetTransactionRequest(transaction_id=transaction_id)
        return await self._booked((await self._front.GetTransaction(request)).transaction)

    async def _booked(self, answer: pb.Transaction) -> Booked:
        request = ledger_pb2.GetTransactionRequest(transaction_id=answer.transaction_id)
        return Booked(answer, (await self._ledger.GetTransaction(request)).transaction)


async def refused(call: Awaitable[object]) -> DomainError:
    """Make a call that has to be refused; answer why it was."""
    try:
        await call
    except grpc.aio.AioRpcError as failure:
        return error_of(failure, "STACK")
    raise UnexpectedlyAcceptedError("a call went through that had to be refused")
