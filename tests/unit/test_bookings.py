"""Which bookings the front door knows without reading them."""

from dataclasses import replace

import pytest
from privy.wallet.v1 import amount_pb2, ledger_pb2

from transaction_service import bookings
from transaction_service.bookings import Bookings
from transaction_service.domain import Booking
from transaction_service.wire.wallet import booking_of


def opening(booking_id: str) -> ledger_pb2.Transaction:
    """Book four units, none of which is taken yet."""
    price = amount_pb2.Amount(asset_code="IDR", minor_units=400)
    return ledger_pb2.Transaction(
        transaction_id=f"txn_{booking_id}",
        kind=ledger_pb2.TRANSACTION_KIND_BOOKING,
        wallet_id="wal_1",
        booking_id=booking_id,
        charges=[ledger_pb2.Charge(product_code="API_CALL", quantity=4, price=price)],
        held_remaining=price,
    )


class Ledger:
    """What each booking is by now: one unit of it was taken elsewhere."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def read(self, booking_id: str) -> Booking:
        self.asked.append(booking_id)
        return replace(booking_of(opening(booking_id)), captured_quantity=1)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def known(ledger: Ledger) -> Bookings:
    return Bookings(ledger.read)


async def test_what_was_opened_here_is_known_once(known: Bookings, ledger: Ledger) -> None:
    """Who comes after the first reads it: its plan may have been refused as out of date."""
    known.opened(opening("bk_1"))
    assert await known.to_commit("bk_1", 4) == booking_of(opening("bk_1"))
    assert ledger.asked == []
    assert (await known.to_commit("bk_1", 4)).captured_quantity == 1
    assert ledger.asked == ["bk_1"]


async def test_a_cancellation_is_planned_without_reading(known: Bookings, ledger: Ledger) -> None:
    """Once, too; and what was never opened here is read."""
    known.opened(opening("bk_1"))
    assert (await known.to_cancel("bk_1")).captured_quantity == 0
    for booking_id in ("bk_1", "bk_2"):
        assert (await known.to_cancel(booking_id)).captured_quantity == 1
    assert ledger.asked == ["bk_1", "bk_2"]


@pytest.mark.parametrize("quantity", [3, 5])
async def test_who_wants_not_the_whole_reads(
    known: Bookings, ledger: Ledger, quantity: int
) -> None:
    """A part's price, and what is said of too much, depend on what was taken before."""
    known.opened(opening("bk_1"))
    assert (await known.to_commit("bk_1", quantity)).captured_quantity == 1
    assert ledger.asked == ["bk_1"]


async def test_only_what_is_booked_is_kept(known: Bookings, ledger: Ledger) -> None:
    """Neither a trial, which has no id, nor another transaction of a booking."""
    trial, commit = opening("bk_1"), opening("bk_2")
    trial.transaction_id = ""
    commit.kind = ledger_pb2.TRANSACTION_KIND_COMMIT
    for each in (trial, commit):
        known.opened(each)
        await known.to_commit(each.booking_id, 4)
    assert ledger.asked == ["bk_1", "bk_2"]


async def test_those_opened_last_are_kept(
    known: Bookings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for two, the first of three is read."""
    monkeypatch.setattr(bookings, "MAX_KEPT", 2)
    for number in (1, 2, 3):
        known.opened(opening(f"bk_{number}"))
    for number in (3, 2, 1):
        await known.to_cancel(f"bk_{number}")
    assert ledger.asked == ["bk_1"]
