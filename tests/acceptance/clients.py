"""What a caller of the two services needs, for the acceptance tests."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
from google.cloud import firestore
from google.rpc import error_details_pb2, status_pb2
from privy.transaction.v1 import transaction_pb2, transaction_pb2_grpc
from privy.wallet.v1 import (
    amount_pb2,
    ledger_pb2_grpc,
    wallet_pb2,
    wallet_pb2_grpc,
)

TIMEOUT_S = 10
PRICE_MINOR = 5_000
"""Of one API_CALL, in the shipped price book."""


def new_id() -> str:
    return uuid.uuid4().hex


def idr(minor_units: int) -> amount_pb2.Amount:
    return amount_pb2.Amount(asset_code="IDR", minor_units=minor_units)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call as its caller reads it."""

    code: grpc.StatusCode
    reason: str
    domain: str
    metadata: Mapping[str, str]
    fields: tuple[str, ...]


def failure_of(error: grpc.aio.AioRpcError) -> Failure:
    status = status_pb2.Status()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status.ParseFromString(value)
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad_request)
    fields = tuple(each.field for each in bad_request.field_violations)
    return Failure(error.code(), info.reason, info.domain, dict(info.metadata), fields)


class Caller:
    def __init__(self, transaction: grpc.aio.Channel, wallet: grpc.aio.Channel) -> None:
        self.channel = transaction
        self.transactions = transaction_pb2_grpc.TransactionServiceStub(transaction)
        self.wallets = wallet_pb2_grpc.WalletServiceStub(wallet)
        self.ledger = ledger_pb2_grpc.LedgerServiceStub(wallet)

    async def wallet(self, funds_minor: int = 0) -> str:
        wallet = wallet_pb2.Wallet(type=wallet_pb2.WALLET_TYPE_PERSONAL, display_name="somebody")
        request = wallet_pb2.CreateWalletRequest(request_id=new_id(), wallet=wallet)
        created = await self.wallets.CreateWallet(request, timeout=TIMEOUT_S)
        if funds_minor:
            await self.top_up(created.wallet.wallet_id, funds_minor)
        return created.wallet.wallet_id

    async def top_up(
        self, wallet_id: str, minor: int, request_id: str = ""
    ) -> transaction_pb2.Transaction:
        request = transaction_pb2.TopUpRequest(
            request_id=request_id or new_id(), wallet_id=wallet_id, amount=idr(minor)
        )
        return (await self.transactions.TopUp(request, timeout=TIMEOUT_S)).transaction

    async def use(
        self, wallet_id: str, quantity: int = 1, request_id: str = ""
    ) -> transaction_pb2.Transaction:
        """Use `quantity` API calls, at 5,000 each."""
        request = transaction_pb2.RecordUsageRequest(
            request_id=request_id or new_id(),
            wallet_id=wallet_id,
            product_code="API_CALL",
            quantity=quantity,
        )
        return (await self.transactions.RecordUsage(request, timeout=TIMEOUT_S)).transaction

    async def book(self, wallet_id: str, quantity: int) -> str:
        """Book `quantity` API calls, and answer the booking's id."""
        request = transaction_pb2.BookUsageRequest(
            request_id=new_id(), wallet_id=wallet_id, product_code="API_CALL", quantity=quantity
        )
        booked = await self.transactions.BookUsage(request, timeout=TIMEOUT_S)
        return booked.transaction.booking_id

    async def commit(
        self, booking_id: str, quantity: int, request_id: str = ""
    ) -> transaction_pb2.Transaction:
        request = transaction_pb2.CommitUsageRequest(
            request_id=request_id or new_id(), booking_id=booking_id, quantity=quantity
        )
        return (await self.transactions.CommitUsage(request, timeout=TIMEOUT_S)).transaction

    async def cancel(self, booking_id: str) -> None:
        request = transaction_pb2.CancelUsageRequest(request_id=new_id(), booking_id=booking_id)
        await self.transactions.CancelUsage(request, timeout=TIMEOUT_S)

    async def use_until_answered(self, wallet_id: str) -> transaction_pb2.Transaction:
        """Repeat one usage, with its request id, while the system is away."""
        request_id = new_id()
        while True:
            try:
                return await self.use(wallet_id, request_id=request_id)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                await asyncio.sleep(0.1)

    async def balance(self, wallet_id: str) -> wallet_pb2.Balance:
        request = wallet_pb2.GetBalancesRequest(wallet_id=wallet_id)
        answer = await self.wallets.GetBalances(request, timeout=TIMEOUT_S)
        return answer.balances[0] if answer.balances else wallet_pb2.Balance()


@asynccontextmanager
async def caller(environment: Mapping[str, str]) -> AsyncIterator[Caller]:
    async with (
        grpc.aio.insecure_channel(environment["TRANSACTION_TARGET"]) as transaction,
        grpc.aio.insecure_channel(environment["WALLET_TARGET"]) as wallet,
    ):
        yield Caller(transaction, wallet)


async def events_of(project: str, wallet_id: str) -> dict[str, dict[str, object]]:
    """Read a wallet's event documents, by transaction id, where the environment says."""
    client = firestore.AsyncClient(project=project)
    wanted = firestore.FieldFilter("wallet_id", "==", wallet_id)
    query = client.collection("cost_revenue_events").where(filter=wanted)
    documents = {each.id: each.to_dict() or {} async for each in query.stream()}
    client.close()
    return documents
