"""Lots: which parts of a balance are drawn on, given back to, carried along and broken."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests import plans
from wallet_service import ids
from wallet_service.decide.core import decide
from wallet_service.decide.model import Books, Posted, Transaction
from wallet_service.decide.plan import LotTerms, Plan
from wallet_service.errors import Refusal

NOW = ids.EPOCH + timedelta(days=1000)
LATER, LATEST = NOW + timedelta(days=30), NOW + timedelta(days=60)
SHORTLY = NOW + timedelta(seconds=1)


def terms(priority: int = 100, expires_at: datetime | None = None) -> LotTerms:
    return LotTerms("BONUS", priority, expires_at)


class Ledger:
    """Books of three wallets, one plan after the other, a clock that is set by hand."""

    def __init__(self) -> None:
        self.books: Books = plans.books(1, 2, 3)
        self.set_clock(NOW)

    def set_clock(self, now: datetime) -> None:
        after = self.books.first_transaction_id
        self.books.first_transaction_id = ids.first_transaction_id(now, 0, after)

    def post(self, plan: Plan) -> Transaction:
        ((verdict,), _) = plans.decide_each([plan], self.books)
        assert isinstance(verdict, Posted), verdict
        plans.make_known(self.books, verdict)
        self.books.first_transaction_id += 1
        return verdict.transaction

    def refuse(self, plan: Plan) -> Refusal:
        ((verdict,), _) = plans.decide_each([plan], self.books)
        assert isinstance(verdict, Refusal), verdict
        return verdict

    def top_up(self, minor: int, lot: LotTerms | None = None, wallet_id: int = 1) -> int:
        return self.post(replace(plans.top_up(wallet_id, minor), lot=lot)).transaction_id

    def lots(self, wallet_id: int = 1) -> list[int]:
        """What remains on each of a wallet's lots, the oldest first."""
        lots = self.books.accounts[plans.wallet(wallet_id)].lots
        return [lot.remaining_minor for _, lot in sorted(lots.items())]

    def held(self, wallet_id: int = 1) -> list[int]:
        lots = self.books.accounts[plans.wallet(wallet_id)].lots
        return [lot.held_minor for _, lot in sorted(lots.items())]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.mark.parametrize(
    ("lots", "spent", "left"),
    [
        ([terms(10), terms(5)], 30, [100, 70]),
        ([terms(50, LATEST), terms(50, LATER)], 130, [70, 0]),
        ([terms(50), terms(50, LATER)], 130, [70, 0]),
        ([terms(50), terms(50)], 130, [0, 70]),
        ([terms(100), terms(100, LATER)], 150, [100, 0]),
        ([terms(101), terms(100)], 1050, [100, 50]),
    ],
    ids=["priority", "expiry", "never is last", "oldest", "plain is oldest", "plain is 100"],
)
def test_spending_draws_in_order(
    lots: Sequence[LotTerms], spent: int, left: list[int], ledger: Ledger
) -> None:
    """By priority, then the earliest expiry, then the oldest; the plain part is 100 and oldest."""
    ledger.top_up(1000)
    for lot in lots:
        ledger.top_up(100, lot)
    ledger.post(plans.usage(1, spent))
    assert ledger.lots() == left


def test_the_worked_example_of_the_books(ledger: Ledger) -> None:
    """docs/ledger.md: 900 of 1,000 plain, 300 bonus and 500 package; then a void of 150."""
    ledger.top_up(1000)
    ledger.top_up(300, terms(10))
    ledger.top_up(500, terms(100, LATER))
    used = ledger.post(plans.usage(1, 900))
    assert [each.amount_minor for each in used.entries[0].lot_entries] == [300, 500]
    assert ledger.lots() == [0, 0]
    ledger.post(plans.void(1, used.transaction_id, 150))
    assert ledger.lots() == [0, 50]
    ledger.post(plans.void(1, used.transaction_id, 750))
    assert ledger.lots() == [300, 500]


def test_a_booking_keeps_its_lots_over_their_expiry(ledger: Ledger) -> None:
    """What is set aside may be taken after the lot's expiry; what comes back is not to be spent."""
    ledger.top_up(100, terms(10, SHORTLY))
    ledger.top_up(50)
    booking = ledger.post(plans.booking(1, 120)).transaction_id
    assert (ledger.lots(), ledger.held()) == ([100], [100])
    ledger.set_clock(SHORTLY)
    ledger.post(plans.commit(1, booking, 60))
    assert (ledger.lots(), ledger.held()) == ([40], [40])
    ledger.post(plans.cancellation(1, booking))
    assert (ledger.lots(), ledger.held()) == ([40], [0])
    refusal = ledger.refuse(plans.usage(1, 51))
    assert refusal.metadata["available_minor"] == "50"
    ledger.post(plans.usage(1, 50))
    assert ledger.lots() == [40]


def test_breakage_takes_what_is_free_of_an_expired_lot(ledger: Ledger) -> None:
    """Neither before its time, nor another amount than there is, nor from a lot that is not there.

    Being frozen does not stop it.
    """
    opened = ledger.top_up(100, terms(10, SHORTLY))
    booking = ledger.post(plans.booking(1, 30)).transaction_id
    assert ledger.refuse(plans.breakage(1, opened, 70)).reason == "LOT_STALE"
    ledger.set_clock(SHORTLY)
    assert ledger.refuse(plans.breakage(1, opened, 100)).reason == "LOT_STALE"
    assert ledger.refuse(plans.breakage(1, 77, 70)).reason == "LOT_STALE"
    ledger.books.accounts[plans.wallet(1)].wallet_state = "FROZEN"
    ledger.post(plans.breakage(1, opened, 70))
    assert (ledger.lots(), ledger.held()) == ([30], [30])
    ledger.post(plans.cancellation(1, booking))
    ledger.post(plans.breakage(1, opened, 30))
    assert ledger.books.accounts[plans.wallet(1)].balance_minor == 0


def test_a_transfer_carries_terms_along(ledger: Ledger) -> None:
    """The receiver gets a lot for each one drawn on, and a void undoes it."""
    ledger.top_up(100, terms(10, LATER))
    ledger.top_up(100)
    sent = ledger.post(plans.transfer(1, 2, 130))
    assert (ledger.lots(1), ledger.lots(2)) == ([0], [100])
    (received,) = ledger.books.accounts[plans.wallet(2)].lots.values()
    assert received.terms == terms(10, LATER)
    ledger.post(plans.usage(2, 20))
    assert ledger.lots(2) == [80]
    ledger.top_up(90, wallet_id=2)
    ledger.post(plans.void(1, sent.transaction_id, 130))
    assert (ledger.lots(1), ledger.lots(2)) == ([100], [0])
    assert ledger.books.accounts[plans.wallet(2)].free_minor == 70


def test_voiding_a_top_up_draws_on_its_own_lot_first(ledger: Ledger) -> None:
    """A void of a lot's top-up takes that lot, though another one would be spent before it."""
    ledger.top_up(100, terms(5))
    opened = ledger.top_up(100, terms(50))
    ledger.post(plans.void(1, opened, 80))
    assert ledger.lots() == [100, 20]


def test_debts_are_paid_from_lots_as_soon_as_there_are_any(ledger: Ledger) -> None:
    """A wallet that owes 40 and gets a lot of 100 has 60 on it, and owes nothing."""
    ledger.books.accounts[plans.wallet(1)].credit_limit_minor = 40
    ledger.post(plans.usage(1, 40))
    ledger.top_up(100, terms())
    assert ledger.lots() == [60]


def test_a_cancelled_booking_pays_debts_first(ledger: Ledger) -> None:
    """What was owed while a booking held the lot is paid when the booking is cancelled."""
    ledger.books.accounts[plans.wallet(1)].credit_limit_minor = 40
    ledger.top_up(100, terms())
    booking = ledger.post(plans.booking(1, 100)).transaction_id
    ledger.post(plans.usage(1, 40))
    ledger.post(plans.cancellation(1, booking))
    assert (ledger.lots(), ledger.held()) == ([60], [0])


def test_an_account_has_at_most_a_thousand_open_lots(ledger: Ledger) -> None:
    """The next lot is refused; one that was used up makes room."""
    for _ in range(1000):
        ledger.top_up(1, terms())
    another = replace(plans.top_up(1, 1), lot=terms())
    assert ledger.refuse(another).reason == "LOT_LIMIT_EXCEEDED"
    ledger.post(plans.usage(1, 1))
    ledger.top_up(1, terms())


def test_a_refused_group_leaves_lots_as_they_were(ledger: Ledger) -> None:
    """A group is decided on a copy: where one plan is refused, no lot has moved."""
    ledger.top_up(100, terms())
    group = [plans.usage(1, 30), plans.usage(1, 500)]
    ((first, second),), writes = decide([group], ledger.books)
    assert isinstance(first, Refusal)
    assert isinstance(second, Refusal)
    assert (first.reason, second.reason) == ("GROUP_REFUSED", "INSUFFICIENT_FUNDS")
    assert ledger.lots() == [100]
    assert not writes.posted
    assert len(writes.outcomes) == 2
