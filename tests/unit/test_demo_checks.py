"""The demo's own checks: they see what is off."""

from collections.abc import Iterable
from dataclasses import replace

from privy.transaction.v1 import transaction_pb2 as pb
from privy.wallet.v1.amount_pb2 import Amount
from privy.wallet.v1.ledger_pb2 import Transaction
from privy.wallet.v1.wallet_pb2 import Balance

from devstack.demo.acts.personal import Repeats, Spending
from devstack.demo.checks.books import check_balanced, check_profits, check_reconciliation
from devstack.demo.checks.check import Check
from devstack.demo.checks.personal import check_repeats, check_spending
from devstack.demo.desk import Booked
from devstack.demo.documents import Document, Line
from devstack.demo.reconciliation import Reconciliation
from shared.errors import AlreadyExists, FailedPrecondition

TOP_UP_LINES = (Line("FUNDING", "IDR", 900), Line("DEFERRED_REVENUE", "IDR", -900))
USAGE_LINES = (Line("DEFERRED_REVENUE", "IDR", 500), Line("REVENUE", "IDR", -500))
LEDGER = {("FUNDING", "IDR"): 900, ("WALLET", "IDR"): -400, ("REVENUE", "IDR"): -500}
DOCUMENTS = (
    Document("txn_1", "TOP_UP", "wal_1", "", 0, TOP_UP_LINES),
    Document("txn_2", "USAGE", "wal_1", "SIGN", 1, USAGE_LINES, "wal_9"),
)
AGREED = Reconciliation(events=2, documents=2, differences=[], ledger=LEDGER, told=LEDGER)


def quote_of(price_minor: int) -> pb.QuoteUsageResponse:
    total = Amount(asset_code="IDR", minor_units=price_minor)
    return pb.QuoteUsageResponse(total=total, sufficient_funds=True)


def booked(price_minor: int, available_minor: int) -> Booked:
    after = pb.WalletBalance(balance=Balance(asset_code="IDR", available_minor=available_minor))
    amount = Amount(asset_code="IDR", minor_units=price_minor)
    return Booked(pb.Transaction(amount=amount, balances_after=[after]), Transaction())


def refusal_of(needed_minor: int, available_minor: int) -> FailedPrecondition:
    figures = {"available_minor": str(available_minor), "needed_minor": str(needed_minor)}
    return FailedPrecondition("INSUFFICIENT_FUNDS", "too little", figures)


SPENDING = Spending(
    top_up=booked(900, 900),
    quotes=(quote_of(500), quote_of(600)),
    usage=booked(500, 400),
    refusal=refusal_of(600, 400),
)
REPEATS = Repeats(
    top_up=booked(300, 700),
    usage=booked(500, 400),
    refusal=refusal_of(600, 400),
    other_body=AlreadyExists("REQUEST_ID_REUSED", "used before"),
)


def test_right_figures_pass() -> None:
    """Nothing is off where nothing is wrong."""
    checks = [
        *check_spending(SPENDING),
        *check_repeats(SPENDING, REPEATS),
        *check_reconciliation(LEDGER, AGREED),
        *check_balanced(LEDGER, DOCUMENTS),
        *check_profits(LEDGER, DOCUMENTS),
    ]
    assert off(checks) == []


def test_a_wrong_price_and_a_wrong_refusal_are_off() -> None:
    """A usage charged otherwise than quoted, and a refusal with other figures, are named."""
    spending = replace(SPENDING, usage=booked(499, 401))
    assert off(check_spending(spending)) == [
        "a usage costs what was quoted",
        "the refusal says what is there and what is needed",
    ]


def test_other_answers_to_repeated_requests_are_off() -> None:
    """A second charge, a second verdict, and a reused id that goes by another reason are named."""
    repeats = replace(
        REPEATS,
        usage=booked(500, 200),
        refusal=refusal_of(600, 700),
        other_body=refusal_of(1, 0),
    )
    assert [each.holds for each in check_repeats(SPENDING, repeats)] == [False, False, False]


def test_a_lost_document_is_off() -> None:
    """What reconcile names, and what sums to less than the ledger, is named."""
    lost = replace(AGREED, documents=1, differences=[{"event_id": "txn_2"}], told={})
    checks = [*check_reconciliation(LEDGER, lost), *check_profits(LEDGER, DOCUMENTS[:1])]
    assert off(checks) == [
        "reconcile finds no difference",
        "each event has its one document",
        "finance's documents sum to the trial balance",
        "profit and loss by product in IDR sums to the trial balance",
        "profit and loss by merchant in IDR sums to the trial balance",
    ]


def test_books_that_do_not_sum_to_zero_are_off() -> None:
    """An asset of the ledger that is off by one is named, and a document that is not balanced."""
    crooked = replace(DOCUMENTS[0], lines=TOP_UP_LINES[:1])
    assert off(check_balanced({**LEDGER, ("WALLET", "IDR"): -401}, [crooked])) == [
        "document txn_1 is balanced",
        "the trial balance in IDR sums to zero",
    ]


def off(checks: Iterable[Check]) -> list[str]:
    return [each.claim for each in checks if not each.holds]
