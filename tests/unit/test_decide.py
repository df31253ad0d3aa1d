"""The decision core: the order of its rules, and what no sequence of plans may break."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import plans
from wallet_service import ids
from wallet_service.decide.core import decide
from wallet_service.decide.model import MAX_BALANCE_MINOR, Books, Posted, Verdict
from wallet_service.decide.plan import MAX_AMOUNT_MINOR, CaptureHold, Leg, LotTerms, Plan
from wallet_service.decide.policy import Limit, Node
from wallet_service.errors import NOT_KEPT, POSTING_RULES, Refusal


def one(plan: Plan, books: Books) -> Verdict:
    (verdict,), _ = plans.decide_each([plan], books)
    return verdict


def reason(verdict: Verdict) -> str:
    return verdict.reason if isinstance(verdict, Refusal) else "OK"


def transaction_id(verdict: Verdict) -> int:
    assert isinstance(verdict, Posted)
    return verdict.transaction.transaction_id


def state(books: Books) -> str:
    return str((books.accounts, books.holds, books.voided, books.windows))


KNOWN, UNKNOWN, FROZEN, CLOSED, IN_CREDIT, CROWDED, LIMITED = 1, 9, 3, 4, 5, 6, 7
USED = "used before"
PAST, SOON = ids.EPOCH, ids.EPOCH + timedelta(seconds=1)
LONG_AGO = PAST - timedelta(seconds=1)


@pytest.fixture
def ledger() -> Books:
    """Wallet 1 with 105, of which booking 10 holds 30 and 14, which has expired, 5.

    Booking 12 was cancelled.

    Wallet 3 is frozen, 4 closed, 5 may go 7 below zero, 6 has all the lots that it may have, and 7
    may spend 50 at a time.
    The books are closed up to 2024.
    """
    books = plans.books(*range(1, 8), first_transaction_id=9)
    books.accounts[plans.wallet(CROWDED)].open_lots = 1000
    limit = Limit(LIMITED, "IDR", "", "TRANSACTION", 50, "UTC")
    limited = replace(plans.own_node(LIMITED), limits=(limit,))
    books.facts = replace(books.facts, nodes={**books.facts.nodes, LIMITED: limited})
    books.closed_until = PAST
    books.accounts[plans.wallet(FROZEN)].wallet_state = "FROZEN"
    books.accounts[plans.wallet(CLOSED)].wallet_state = "CLOSED"
    books.accounts[plans.wallet(IN_CREDIT)].credit_limit_minor = 7
    steps = [
        plans.top_up(KNOWN, 105, USED),
        plans.booking(KNOWN, 30),
        plans.top_up(2, 5),
        plans.booking(KNOWN, 20),
        plans.cancellation(KNOWN, 12),
        plans.booking(KNOWN, 5, SOON),
    ]
    verdicts, _ = plans.decide_each(steps, books)
    assert [reason(each) for each in verdicts] == ["OK"] * 6
    for verdict in verdicts:
        plans.make_known(books, verdict)
    books.first_transaction_id = ids.first_transaction_id(SOON, 0, after=0)
    return books


OFF_BOOKS = plans.wallet(KNOWN, "XXX")
TOO_MUCH = MAX_BALANCE_MINOR + 1

# Each plan breaks the rule that it is listed under and, as far as one plan can, later ones too.
PRECEDENCE = [
    ("ASSET_UNKNOWN", plans.plan("USAGE", UNKNOWN, Leg(OFF_BOOKS, 1), request_id=USED)),
    ("REQUEST_ID_REUSED", plans.usage(UNKNOWN, TOO_MUCH, USED)),
    ("EXPIRE_TIME_PAST", plans.booking(UNKNOWN, 1, PAST)),
    ("EXPIRE_TIME_PAST", replace(plans.top_up(UNKNOWN, 1), lot=LotTerms("PAID", 1, PAST))),
    ("WALLET_NOT_FOUND", replace(plans.commit(UNKNOWN, 77, TOO_MUCH), effective_at=LONG_AGO)),
    ("VERSION_STALE", replace(plans.commit(CLOSED, 77, TOO_MUCH), wallet_version=2)),
    ("PERIOD_CLOSED", replace(plans.commit(CLOSED, 77, TOO_MUCH), effective_at=LONG_AGO)),
    ("WALLET_CLOSED", plans.commit(CLOSED, 77, TOO_MUCH)),
    ("WALLET_CLOSED", plans.top_up(CLOSED, 1)),
    ("WALLET_CLOSED", plans.transfer(FROZEN, CLOSED, 1)),
    ("WALLET_FROZEN", plans.commit(FROZEN, 77, TOO_MUCH)),
    ("WALLET_FROZEN", plans.booking(FROZEN, 1)),
    ("WALLET_FROZEN", plans.transfer(FROZEN, KNOWN, 1)),
    ("BOOKING_NOT_FOUND", plans.commit(KNOWN, 77, TOO_MUCH)),
    ("BOOKING_NOT_FOUND", plans.commit(2, 10, TOO_MUCH)),
    ("BOOKING_CLOSED", plans.commit(KNOWN, 12, TOO_MUCH)),
    ("BOOKING_EXPIRED", plans.commit(KNOWN, 14, 6)),
    ("OK", plans.cancellation(KNOWN, 14)),
    ("BOOKING_STALE", replace(plans.commit(KNOWN, 10, 31), hold=CaptureHold(10, 1, 1))),
    ("BOOKING_EXCEEDED", plans.commit(KNOWN, 10, 31)),
    ("TRANSACTION_NOT_FOUND", plans.void(KNOWN, 77, TOO_MUCH)),
    ("TRANSACTION_NOT_FOUND", plans.void(2, 9, TOO_MUCH)),
    ("TRANSACTION_NOT_VOIDABLE", plans.void(KNOWN, 10, TOO_MUCH)),
    ("VOID_EXCEEDED", plans.void(KNOWN, 9, 106)),
    ("LOT_STALE", plans.breakage(KNOWN, 77, TOO_MUCH)),
    ("LOT_NOT_FOUND", plans.extension(KNOWN, 77, SOON + timedelta(days=1))),
    ("SPENDING_LIMIT_EXCEEDED", plans.spending(LIMITED, 51)),
    ("SPENDING_LIMIT_EXCEEDED", plans.spent_booking(LIMITED, 51)),
    ("INSUFFICIENT_FUNDS", plans.spending(LIMITED, 50)),
    ("INSUFFICIENT_FUNDS", plans.void(KNOWN, 9, 71)),
    ("INSUFFICIENT_FUNDS", plans.usage(KNOWN, TOO_MUCH)),
    ("INSUFFICIENT_FUNDS", plans.booking(KNOWN, 71)),
    ("INSUFFICIENT_FUNDS", plans.transfer(KNOWN, 2, 71)),
    ("BALANCE_LIMIT_EXCEEDED", plans.top_up(KNOWN, MAX_BALANCE_MINOR)),
    ("LOT_LIMIT_EXCEEDED", replace(plans.top_up(CROWDED, 1), lot=LotTerms("PAID", 1, None))),
    ("OK", plans.top_up(CROWDED, 1)),
    ("OK", replace(plans.usage(KNOWN, 1), effective_at=PAST)),
    ("OK", plans.top_up(FROZEN, 1)),
    ("OK", plans.transfer(KNOWN, FROZEN, 1)),
    ("OK", plans.usage(IN_CREDIT, 7)),
    ("INSUFFICIENT_FUNDS", plans.usage(IN_CREDIT, 8)),
    ("OK", plans.usage(KNOWN, 70)),
    ("OK", plans.commit(KNOWN, 10, 30)),
    ("OK", plans.cancellation(KNOWN, 10)),
    ("OK", plans.void(KNOWN, 9, 70)),
]  # fmt: skip


def test_the_table_has_every_rule_in_its_order() -> None:
    """The rows above follow the documented order, and leave none out; groups come last."""
    reasons = dict.fromkeys(reason for reason, _ in PRECEDENCE if reason != "OK")
    assert [*reasons, "GROUP_REFUSED"] == [rule.reason for rule in POSTING_RULES]


@pytest.mark.parametrize(("expected", "plan"), PRECEDENCE)
def test_rules_are_tried_in_their_order(expected: str, plan: Plan, ledger: Books) -> None:
    """The first broken rule, in the documented order, gives the reason."""
    assert reason(one(plan, ledger)) == expected


@pytest.mark.parametrize(("expected", "plan"), [row for row in PRECEDENCE if row[0] != "OK"])
def test_a_refusal_moves_nothing(expected: str, plan: Plan, ledger: Books) -> None:
    """After a refusal every account and hold is as it was, and nothing is to be written."""
    before = state(ledger)
    _, writes = plans.decide_each([plan], ledger)
    assert state(ledger) == before
    assert (writes.posted, writes.accounts, writes.holds) == ([], {}, {})
    assert bool(writes.outcomes) == (expected not in NOT_KEPT)


def test_a_refusal_tells_the_figures(ledger: Books) -> None:
    """Not enough funds says what is available and what is needed."""
    verdict = one(plans.usage(KNOWN, 71), ledger)
    assert isinstance(verdict, Refusal)
    assert verdict.metadata["available_minor"] == "70"
    assert verdict.metadata["needed_minor"] == "71"


def test_the_same_request_twice_in_one_batch_is_two_callers_with_one_outcome() -> None:
    """A duplicate in the batch gets the very same verdict and writes nothing more."""
    plan = plans.top_up(1, 5)
    (first, second), writes = plans.decide_each([plan, plan], plans.books(1))
    assert first is second
    assert len(writes.posted) == 1


def test_a_refused_request_stays_refused(ledger: Books) -> None:
    """A request id's one outcome may be a refusal: money that comes later does not change it."""
    late = plans.usage(KNOWN, 500)
    verdicts, _ = plans.decide_each([late, plans.top_up(KNOWN, 1000), late], ledger)
    assert [reason(each) for each in verdicts] == ["INSUFFICIENT_FUNDS", "OK", "INSUFFICIENT_FUNDS"]


def test_validation_alone_changes_nothing(ledger: Books) -> None:
    """A plan with validate_only gets its verdict, and the next plan finds the books as before."""
    trial = replace(plans.usage(KNOWN, 70), validate_only=True)
    verdicts, writes = plans.decide_each([trial, plans.usage(KNOWN, 70)], ledger)
    assert [reason(each) for each in verdicts] == ["OK", "OK"]
    assert transaction_id(verdicts[0]) == 0
    assert len(writes.posted) == len(writes.outcomes) == 1


@pytest.mark.parametrize(("expected", "plan"), [row for row in PRECEDENCE if row[0] != "OK"])
def test_a_group_is_accepted_as_a_whole_or_not_at_all(
    expected: str, plan: Plan, ledger: Books
) -> None:
    """One refused plan of three refuses the others, who keep that if it keeps its own reason."""
    before = state(ledger)
    group = [plans.usage(KNOWN, 1), plan, plans.top_up(KNOWN, 1)]
    (verdicts,), writes = decide([group], ledger)
    assert [reason(each) for each in verdicts] == ["GROUP_REFUSED", expected, "GROUP_REFUSED"]
    assert state(ledger) == before
    assert (writes.posted, writes.accounts) == ([], {})
    assert len(writes.outcomes) == (0 if expected in NOT_KEPT else 3)


def test_a_group_sees_its_own_effects_and_is_repeatable(ledger: Books) -> None:
    """A later plan of a group spends what an earlier one brought in; a repetition is answered."""
    group = [plans.top_up(KNOWN, 30), plans.usage(KNOWN, 100)]
    first, writes = decide([group], ledger)
    assert [reason(each) for each in first[0]] == ["OK", "OK"]
    assert len(writes.posted) == 2
    again, writes = decide([group], ledger)
    assert again == first
    assert not writes.posted


def test_a_plan_that_was_accepted_before_counts_for_its_group(ledger: Books) -> None:
    """Accepted alone first, then in a group that is refused: it keeps its first answer."""
    alone = plans.top_up(KNOWN, 5)
    first = one(alone, ledger)
    (verdicts,), _ = decide([[alone, plans.usage(KNOWN, 500)]], ledger)
    assert verdicts[0] == first
    assert reason(verdicts[1]) == "INSUFFICIENT_FUNDS"


def test_a_refusal_that_was_kept_comes_before_any_rule(ledger: Books) -> None:
    """Refused with its group and asked again alone, a plan in an unknown asset is answered so."""
    strange = plans.plan("TOP_UP", KNOWN, Leg(OFF_BOOKS, -1))
    (verdicts,), _ = decide([[plans.usage(KNOWN, 500), strange]], ledger)
    assert reason(verdicts[1]) == "GROUP_REFUSED"
    assert one(strange, ledger) == verdicts[1]


def test_only_the_plan_at_fault_gets_its_own_reason(ledger: Books) -> None:
    """Behind a plan at fault, one whose id came with another body is refused for the group."""
    (verdicts,), _ = decide([[plans.usage(KNOWN, 500), plans.top_up(KNOWN, 1, USED)]], ledger)
    assert [reason(each) for each in verdicts] == ["INSUFFICIENT_FUNDS", "GROUP_REFUSED"]


def test_a_booking_is_taken_in_parts_and_the_rest_set_free() -> None:
    """Two commits and a cancellation end a booking; the balance shows what was taken."""
    books = plans.books(1)
    booked = plans.decide_each([plans.top_up(1, 100), plans.booking(1, 60)], books)[0][1]
    number = transaction_id(booked)
    plans.make_known(books, booked)
    books.first_transaction_id = 50
    steps = [
        plans.commit(1, number, 25),
        plans.commit(1, number, 15),
        plans.cancellation(1, number),
    ]
    verdicts, _ = plans.decide_each(steps, books)
    assert [reason(each) for each in verdicts] == ["OK"] * 3
    account = books.accounts[plans.wallet(1)]
    assert (account.balance_minor, account.held_minor, account.available_minor) == (-60, 0, 60)


def test_what_several_set_aside_no_longer_counts_once_it_is_set_free() -> None:
    """A cancelled booking gives all of it back to the limit, not its own wallet's part alone."""
    books = plans.books(1, 2)
    limit = Limit(2, "IDR", "", "DAY", 50, "UTC")
    node = Node(2, 1, (2, 1), splits=True, limits=(limit,))
    books.facts = replace(books.facts, nodes={**books.facts.nodes, 2: node})
    steps = [plans.top_up(1, 100), plans.top_up(2, 10), plans.spent_booking(2, 50)]
    booked = plans.decide_each(steps, books)[0][-1]
    plans.make_known(books, booked)
    assert list(books.windows.values()) == [50]
    books.first_transaction_id = 50
    plans.decide_each([plans.cancellation(2, transaction_id(booked))], books)
    assert list(books.windows.values()) == [0]


amounts = st.integers(1, 40) | st.just(MAX_AMOUNT_MINOR)
wallets = st.integers(1, 3)
bookings = st.integers(1, 40)
random_plans = st.one_of(
    st.builds(plans.top_up, wallets, amounts, st.sampled_from(["", "same", "other"])),
    st.builds(plans.usage, wallets, amounts, st.sampled_from(["", "same", "other"])),
    st.builds(plans.transfer, st.just(1), st.integers(2, 3), amounts),
    st.builds(plans.booking, wallets, amounts),
    st.builds(plans.commit, wallets, bookings, amounts),
    st.builds(plans.cancellation, wallets, bookings),
    st.builds(plans.void, wallets, bookings, st.just(0) | amounts),
)


@given(st.lists(st.lists(random_plans, min_size=1, max_size=8), max_size=8))
def test_no_sequence_of_plans_breaks_the_books(batches: list[list[Plan]]) -> None:
    """Whatever is asked: the books sum to zero, nobody overspends, and holds add up."""
    books = plans.books(1, 2, 3)
    for batch in batches:
        _, writes = plans.decide_each(batch, books)
        books.first_transaction_id += len(batch)
        for posted in writes.posted:
            plans.make_known(books, posted)
            assert sum(entry.amount_minor for entry in posted.transaction.entries) == 0
    assert sum(account.balance_minor for account in books.accounts.values()) == 0
    for transaction_id, voided_minor in books.voided.items():
        assert voided_minor <= books.facts.originals[transaction_id].amount_minor
    for key, account in books.accounts.items():
        parts = [part for hold in books.holds.values() for part in hold.parts]
        held = [part.remaining_minor for part in parts if part.key == key]
        assert account.held_minor == sum(held)
        assert account.held_minor >= 0
        assert all(remaining >= 0 for remaining in held)
        if key.wallet_id:
            assert account.available_minor >= 0


@given(st.lists(random_plans, min_size=1, max_size=12))
def test_asking_again_gives_the_first_answers_and_moves_nothing(batch: list[Plan]) -> None:
    """Every plan repeated gets the verdict it got before, and nothing is written."""
    books = plans.books(1, 2, 3)
    first, _ = plans.decide_each(batch, books)
    before = str(books.accounts)
    again, writes = plans.decide_each(batch, books)
    assert again == first
    assert str(books.accounts) == before
    assert not writes.posted
