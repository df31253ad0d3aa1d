"""Whether everything came out as it must. Pure.

The figures expected of the balances are worked out by hand, at the prices of the price book that
the product comes with; all others are what one part says, expected of another.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from devstack.demo.acts import BookedUsage, Mistake, Repeats, Spending, Story
from devstack.demo.desk import Booked
from devstack.demo.documents import Document
from devstack.demo.finance import (
    ACCOUNTS,
    Books,
    account_type,
    document_sums,
    off_balance,
    profits_of,
)

# What each holds of what at the end: posted, held, available.
FINAL_BALANCES_MINOR = {
    ("person", "IDR"): (2_750_000, 0, 2_750_000),
    ("friend", "IDR"): (1_050_000, 0, 1_050_000),
    ("company", "ESIGN"): (92, 0, 92),
}


@dataclass(frozen=True, slots=True)
class Check:
    """Something claimed, and whether it is so."""

    claim: str
    expected: object
    seen: object

    @property
    def holds(self) -> bool:
        return self.expected == self.seen


def check(story: Story, books: Books) -> list[Check]:
    """Check the whole story and what became of it."""
    return [
        *check_spending(story.spending),
        *check_repeats(story.spending, story.repeats),
        *check_booking(story.booked_usage),
        *check_mistake(story.mistake),
        *check_balances(story),
        *check_documents(story, books),
        *check_books(books),
    ]


def check_spending(spending: Spending) -> Iterator[Check]:
    first, second = spending.quotes
    before_minor = spending.usage.answer.balances_after[0].balance.available_minor
    affordable = (first.sufficient_funds, second.sufficient_funds)
    yield Check("each quoted usage alone is affordable", (True, True), affordable)
    yield Check("a usage costs what was quoted", first.total, spending.usage.answer.amount)
    yield Check("too much is refused", "INSUFFICIENT_FUNDS", spending.refusal.reason)
    yield Check(
        "the refusal says what is there and what is needed",
        (str(before_minor), str(second.total.minor_units)),
        tuple(spending.refusal.metadata.get(f"{each}_minor") for each in ("available", "needed")),
    )


def check_repeats(spending: Spending, repeats: Repeats) -> Iterator[Check]:
    yield Check(
        "a repeated request gets its first answer", spending.usage.answer, repeats.usage.answer
    )
    first, again = spending.refusal, repeats.refusal
    yield Check(
        "a repeated refusal stays what it was",
        (first.reason, first.metadata),
        (again.reason, again.metadata),
    )
    reason = repeats.other_body.reason
    yield Check("another request under a used id is refused", "REQUEST_ID_REUSED", reason)


def check_booking(booked: BookedUsage) -> Iterator[Check]:
    price, taken = booked.booking.answer.amount, booked.commit.answer.amount
    set_free_minor = booked.cancellation.answer.amount.minor_units
    left_minor = booked.cancellation.answer.balances_after[0].balance.held_minor
    yield Check(
        "what is taken and what is set free make up the booking",
        price.minor_units,
        taken.minor_units + set_free_minor,
    )
    yield Check("nothing stays held after a cancellation", 0, left_minor)


def check_mistake(mistake: Mistake) -> Iterator[Check]:
    voids = (mistake.first_void, mistake.second_void)
    yield Check(
        "a void names what it takes back",
        [mistake.transfer.answer.transaction_id] * 2,
        [each.answer.voids_transaction_id for each in voids],
    )
    yield Check(
        "the parts of a void make the whole",
        mistake.transfer.answer.amount.minor_units,
        sum(each.answer.amount.minor_units for each in voids),
    )


def check_balances(story: Story) -> Iterator[Check]:
    names = story.cast.names()
    seen = {
        (names[wallet_id], each.asset_code): (
            each.posted_minor,
            each.held_minor,
            each.available_minor,
        )
        for wallet_id, balances in story.balances.items()
        for each in balances
    }
    for owner in sorted({*FINAL_BALANCES_MINOR, *seen}):
        claim = f"the {owner[0]}'s balance in {owner[1]} is what the story comes to"
        yield Check(claim, FINAL_BALANCES_MINOR.get(owner), seen.get(owner))


def check_documents(story: Story, books: Books) -> Iterator[Check]:
    expected = {each.answer.transaction_id: each for each in story.movements()}
    found = {each.document_id: each for each in books.documents}
    yield Check("each movement of money has its one document", sorted(expected), sorted(found))
    for document_id in sorted(expected.keys() & found.keys()):
        name = f"document {document_id}"
        document, booked = found[document_id], expected[document_id]
        yield Check(f"{name} is balanced", {}, off_balance(document.lines))
        yield Check(
            f"{name} holds the ledger's legs", _legs_of_ledger(booked), _legs_of_document(document)
        )


def check_books(books: Books) -> Iterator[Check]:
    told = document_sums(books.documents)
    yield Check("finance's documents sum to the ledger's trial balance", books.ledger, told)
    profits = profits_of(books.documents)
    for asset_code in sorted({asset_code for _, asset_code in books.ledger}):
        parts = [amount for (_, code), amount in books.ledger.items() if code == asset_code]
        yield Check(f"the trial balance in {asset_code} sums to zero", 0, sum(parts))
        mine = [each for each in profits if each.asset_code == asset_code]
        yield Check(
            f"revenue and cost by product in {asset_code} sum to the ledger's",
            (
                -books.ledger.get(("REVENUE", asset_code), 0),
                books.ledger.get(("VENDOR_COST", asset_code), 0),
            ),
            (sum(each.revenue_minor for each in mine), sum(each.cost_minor for each in mine)),
        )


def _legs_of_ledger(booked: Booked) -> Mapping[tuple[str, str, int], int]:
    """Count the legs that move money, by account type, asset and amount."""
    return Counter(
        (account_type(each.account_type), each.amount.asset_code, each.amount.minor_units)
        for each in booked.ledger.entries
        if each.amount.minor_units
    )


def _legs_of_document(document: Document) -> Mapping[tuple[str, str, int], int]:
    return Counter(
        (ACCOUNTS[each.type], each.asset_code, each.amount_minor) for each in document.lines
    )
