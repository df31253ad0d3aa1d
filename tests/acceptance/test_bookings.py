"""What a front door knows of a booking, and what another front door may have changed of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from signal import SIGTERM

import grpc
import pytest
from privy.transaction.v1 import transaction_pb2 as pb

from devstack.stack import Stack
from tests.acceptance.clients import PRICE_MINOR, TIMEOUT_S, Caller, caller, failure_of, new_id

BOOKED = 10


@dataclass(frozen=True, slots=True)
class Doors:
    """Two front doors before the same books, and a wallet with just enough for one booking."""

    here: Caller
    there: Caller
    wallet_id: str

    async def book(self) -> str:
        return await self.here.book(self.wallet_id, BOOKED)


@pytest.fixture
async def doors(stack: Stack, native_environment: Mapping[str, str]) -> AsyncIterator[Doors]:
    async with caller(stack.environment) as here, caller(native_environment) as there:
        yield Doors(here, there, await here.wallet(BOOKED * PRICE_MINOR))


async def test_the_whole_is_refused_by_what_was_taken_elsewhere(doors: Doors) -> None:
    """It says what is left by now, and that can be taken where the booking was opened."""
    booking_id = await doors.book()
    await doors.there.commit(booking_id, 3)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await doors.here.commit(booking_id, BOOKED)
    failure = failure_of(raised.value)
    assert failure.reason == "BOOKING_EXCEEDED"
    assert failure.metadata["remaining_minor"] == str(7 * PRICE_MINOR)
    await doors.here.commit(booking_id, 7)
    assert (await doors.here.balance(doors.wallet_id)).held_minor == 0


async def test_what_was_cancelled_elsewhere_is_closed(doors: Doors) -> None:
    """Neither taken nor set free once more."""
    booking_id = await doors.book()
    await doors.there.cancel(booking_id)
    for again in (doors.here.commit(booking_id, BOOKED), doors.here.cancel(booking_id)):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await again
        assert failure_of(raised.value).reason == "BOOKING_CLOSED"
    assert (await doors.here.balance(doors.wallet_id)).available_minor == BOOKED * PRICE_MINOR


async def test_the_rest_is_set_free_where_it_was_opened(doors: Doors) -> None:
    """A cancellation, planned without reading, frees what is left and no more."""
    booking_id = await doors.book()
    await doors.there.commit(booking_id, 4)
    await doors.here.cancel(booking_id)
    balance = await doors.here.balance(doors.wallet_id)
    assert (balance.posted_minor, balance.held_minor) == (6 * PRICE_MINOR, 0)


@dataclass
class Relay(grpc.GenericRpcHandler):
    """Hands a front door's calls on to the Wallet, and notes which they were."""

    wallet: grpc.aio.Channel
    asked: list[str] = field(default_factory=list)

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        forward: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self.wallet.unary_unary(
            details.method
        )

        async def call(body: bytes, _: object) -> bytes:
            self.asked.append(details.method.rpartition("/")[2])
            return await forward(body, timeout=TIMEOUT_S)

        return grpc.unary_unary_rpc_method_handler(call)


@asynccontextmanager
async def watched(stack: Stack) -> AsyncIterator[tuple[Caller, Relay]]:
    """Start a front door of which every call to the Wallet is noted."""
    async with grpc.aio.insecure_channel(stack.environment["WALLET_TARGET"]) as wallet:
        relay, server = Relay(wallet), grpc.aio.server()
        server.add_generic_rpc_handlers([relay])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        door = await stack.add(
            "transaction-watched", "transaction", WALLET_TARGET=f"127.0.0.1:{port}"
        )
        try:
            async with caller({**stack.environment, "TRANSACTION_TARGET": door}) as client:
                yield client, relay
        finally:
            await stack.end("transaction-watched", SIGTERM)
            await server.stop(None)


async def book_in_a_batch(client: Caller, wallet_id: str) -> str:
    booking = pb.BookUsageRequest(
        request_id=new_id(), wallet_id=wallet_id, product_code="API_CALL", quantity=BOOKED
    )
    request = pb.ExecuteBatchRequest(
        items=[pb.BatchItem(book_usage=booking)], mode=pb.BATCH_MODE_INDEPENDENT
    )
    answer = await client.transactions.ExecuteBatch(request, timeout=TIMEOUT_S)
    return answer.results[0].transaction.booking_id


async def test_what_was_opened_here_is_not_read(stack: Stack) -> None:
    """Alone or in a batch, taken whole or set free; who takes a part reads it."""
    async with watched(stack) as (client, relay):
        wallet_id = await client.wallet(4 * BOOKED * PRICE_MINOR)
        ends: list[Callable[[str], Awaitable[object]]] = [
            lambda booking_id: client.commit(booking_id, BOOKED),
            client.cancel,
        ]
        for end in ends:
            await end(await client.book(wallet_id, BOOKED))
            await end(await book_in_a_batch(client, wallet_id))
        assert relay.asked.count("PostBatch") >= 8
        assert "BatchGetTransactions" not in relay.asked
        await client.commit(await client.book(wallet_id, BOOKED), BOOKED - 1)
        assert "BatchGetTransactions" in relay.asked
