"""One booking at two front doors: what one of them knows of it, the other may have changed."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

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

    async def book(self) -> pb.Transaction:
        request = pb.BookUsageRequest(
            request_id=new_id(),
            wallet_id=self.wallet_id,
            product_code="API_CALL",
            quantity=BOOKED,
        )
        return (await self.here.transactions.BookUsage(request, timeout=TIMEOUT_S)).transaction

    async def held_minor(self) -> int:
        return (await self.here.balance(self.wallet_id)).held_minor


async def commit(door: Caller, booking_id: str, quantity: int) -> None:
    request = pb.CommitUsageRequest(request_id=new_id(), booking_id=booking_id, quantity=quantity)
    await door.transactions.CommitUsage(request, timeout=TIMEOUT_S)


async def cancel(door: Caller, booking_id: str) -> None:
    request = pb.CancelUsageRequest(request_id=new_id(), booking_id=booking_id)
    await door.transactions.CancelUsage(request, timeout=TIMEOUT_S)


@pytest.fixture
async def doors(stack: Stack, native_environment: Mapping[str, str]) -> AsyncIterator[Doors]:
    async with caller(stack.environment) as here, caller(native_environment) as there:
        yield Doors(here, there, await here.wallet(BOOKED * PRICE_MINOR))


async def test_the_whole_is_refused_by_what_was_taken_elsewhere(doors: Doors) -> None:
    """It says what is left by now, and that can be taken where the booking was opened."""
    booking_id = (await doors.book()).booking_id
    await commit(doors.there, booking_id, 3)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await commit(doors.here, booking_id, BOOKED)
    failure = failure_of(raised.value)
    assert failure.reason == "BOOKING_EXCEEDED"
    assert failure.metadata["remaining_minor"] == str(7 * PRICE_MINOR)
    await commit(doors.here, booking_id, 7)
    assert await doors.held_minor() == 0


async def test_what_was_cancelled_elsewhere_is_closed(doors: Doors) -> None:
    """Neither taken nor set free once more."""
    booking_id = (await doors.book()).booking_id
    await cancel(doors.there, booking_id)
    for again in (commit(doors.here, booking_id, BOOKED), cancel(doors.here, booking_id)):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await again
        assert failure_of(raised.value).reason == "BOOKING_CLOSED"
    assert (await doors.here.balance(doors.wallet_id)).available_minor == BOOKED * PRICE_MINOR


async def test_the_rest_is_set_free_where_it_was_opened(doors: Doors) -> None:
    """A cancellation, planned without reading, frees what is left and no more."""
    booking_id = (await doors.book()).booking_id
    await commit(doors.there, booking_id, 4)
    await cancel(doors.here, booking_id)
    balance = await doors.here.balance(doors.wallet_id)
    assert (balance.posted_minor, balance.held_minor) == (6 * PRICE_MINOR, 0)
