"""Every check of the story.

The figures expected of the balances are worked out by hand, at the prices of the price books of
the story; most others are what one part says, expected of another.
"""

from collections.abc import Iterator

from devstack.demo.acts.story import Story
from devstack.demo.books import Books
from devstack.demo.checks import books as closing
from devstack.demo.checks.business import check_bonus, check_branches, check_resale
from devstack.demo.checks.check import Check
from devstack.demo.checks.personal import (
    check_booking,
    check_mistake,
    check_repeats,
    check_spending,
)

# What each holds of what at the end: posted, held, available.
FINAL_BALANCES_MINOR = {
    ("person", "IDR"): (3_000_000, 0, 3_000_000),
    ("friend", "IDR"): (1_050_000, 0, 1_050_000),
    ("company", "ESIGN"): (92, 0, 92),
    ("enterprise", "IDR"): (6_750_000, 0, 6_750_000),
    ("enterprise", "ESIGN"): (50, 0, 50),
    ("north merchant", "IDR"): (500_000, 0, 500_000),
    ("south merchant", "ESIGN"): (4, 0, 4),
    ("application", "IDR"): (0, 0, 0),
    ("web channel", "IDR"): (0, 0, 0),
    ("reseller", "IDR"): (900_000, 0, 900_000),
    ("customer", "IDR"): (2_669_000, 0, 2_669_000),
}


def check(story: Story, books: Books) -> list[Check]:
    """Check the whole story and what became of it."""
    return [
        *check_spending(story.spending),
        *check_repeats(story.spending, story.repeats),
        *check_booking(story.booked_usage),
        *check_mistake(story.mistake),
        *check_bonus(story.bonus),
        *check_branches(story.branches, story.cast),
        *check_booking(story.branches.booked_usage),
        *check_resale(story.resale, story.cast),
        *check_balances(story),
        *check_books(story, books),
    ]


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


def check_books(story: Story, books: Books) -> Iterator[Check]:
    audit, names = books.audit, story.cast.names()
    done = sorted(each.answer.transaction_id for each in story.movements())
    yield Check(
        "the ledger has what was done, and nothing else",
        done,
        sorted(audit.moved),
    )
    yield from closing.check_dead_letter(books)
    yield from closing.check_reconciliation(audit.trial_balance, books.reconciliation)
    yield from closing.check_balanced(audit.trial_balance, books.documents)
    yield from closing.check_profits(audit.trial_balance, books.documents)
    for each in audit.statements:
        yield from closing.check_statement(each, names[each.wallet_id])
    yield from closing.check_verification(audit)
