"""The persons' acts."""

from collections.abc import Iterator

from devstack.demo.acts.personal import BookedUsage, Mistake, Repeats, Spending
from devstack.demo.checks.check import Check


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
