"""The demo's own checks: they see what is off."""

from collections.abc import Iterable
from dataclasses import replace

from privy.transaction.v1 import transaction_pb2 as pb
from privy.wallet.v1.amount_pb2 import Amount
from privy.wallet.v1.ledger_pb2 import Transaction
from privy.wallet.v1.wallet_pb2 import Balance

from devstack.demo.acts.personal import Repeats, Spending
from devstack.demo.checks.books import check_documents, check_profits, check_sums
from devstack.demo.checks.check import Check
from devstack.demo.checks.personal import check_repeats, check_spending
from devstack.demo.desk import Booked
from devstack.demo.documents import Document, Line
from shared.errors import AlreadyExists, FailedPrecondition

TOP_UP_LINES = (Line("FUNDING", "IDR", 900), Line("DEFERRED_REVENUE", "IDR", -900))
USAGE_LINES = (Line("DEFERRED_REVENUE", "IDR", 500), Line("REVENUE", "IDR", -500))
LEDGER = {("FUNDING", "IDR"): 900, ("WALLET", "IDR"): -400, ("REVENUE", "IDR"): -500}
DUE = (
    Document("txn_1", "TOP_UP", "wal_1", "", 0, TOP_UP_LINES),
    Document("txn_2", "USAGE", "wal_1", "SIGN", 1, USAGE_LINES, "wal_9"),
)


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
        *check_documents(DUE, tuple(reversed(DUE))),
        *check_sums(LEDGER, DUE),
        *check_profits(LEDGER, DUE, DUE),
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
    """Documents that are fewer than the ledger's transactions are named, in sums and in profit."""
    lost = DUE[:1]
    checks = [
        *check_documents(DUE, lost),
        *check_sums(LEDGER, lost),
        *check_profits(LEDGER, DUE, lost),
    ]
    assert off(checks) == [
        "each movement of money has its one document",
        "finance's documents sum to the ledger's trial balance",
        "profit and loss by product is the ledger's",
        "profit and loss by product in IDR sums to the trial balance",
        "profit and loss by merchant is the ledger's",
        "profit and loss by merchant in IDR sums to the trial balance",
    ]


def test_a_document_of_another_merchant_is_off() -> None:
    """Sums by product may be right while a document says the wrong merchant: it is named."""
    told = (DUE[0], replace(DUE[1], merchant_wallet_id=""))
    checks = [*check_documents(DUE, told), *check_profits(LEDGER, DUE, told)]
    assert off(checks) == [
        "document txn_2 says what the ledger says",
        "profit and loss by merchant is the ledger's",
    ]


def test_books_that_do_not_sum_to_zero_are_off() -> None:
    """An asset of the ledger that is off by one is named."""
    assert off(check_sums({**LEDGER, ("WALLET", "IDR"): -401}, DUE)) == [
        "finance's documents sum to the ledger's trial balance",
        "the trial balance in IDR sums to zero",
    ]


def off(checks: Iterable[Check]) -> list[str]:
    return [each.claim for each in checks if not each.holds]
