"""The enterprise's and the reseller's acts."""

from collections.abc import Iterator

from devstack.demo.acts.company import SpentBonus
from devstack.demo.acts.enterprise import Branches
from devstack.demo.acts.reseller import Resale
from devstack.demo.cast import NORTH_LIMIT_MINOR, Cast
from devstack.demo.checks.check import Check
from devstack.demo.desk import Booked
from devstack.demo.ledger import account_type


def check_bonus(acts: SpentBonus) -> Iterator[Check]:
    granted, used = acts.bonus.top_up.answer.amount, acts.bonus.usage.answer.amount
    yield Check(
        "what of a bonus was not used is breakage",
        -(granted.minor_units - used.minor_units),
        amount_on(acts.breakage, "BREAKAGE"),
    )


def check_branches(acts: Branches, cast: Cast) -> Iterator[Check]:
    web, north = cast.web_channel.wallet_id, cast.north_merchant.wallet_id
    yield Check(
        "a channel and its merchant pay together",
        {web: 800_000, north: 700_000},
        paid_by(acts.shared_usage),
    )
    yield Check(
        "the nearest above that has enough pays as a whole",
        {cast.enterprise.wallet_id: 1_250_000},
        paid_by(acts.booked_usage.commit),
    )
    yield Check("a limit refuses", "SPENDING_LIMIT_EXCEEDED", acts.refusal.reason)
    figures = {
        "wallet_id": north,
        "limit_minor": str(NORTH_LIMIT_MINOR),
        "spent_minor": "2750000",
        "needed_minor": "1500000",
    }
    seen = {name: acts.refusal.metadata.get(name) for name in figures}
    yield Check("the refusal says whose limit it is, and its figures", figures, seen)


def check_resale(acts: Resale, cast: Cast) -> Iterator[Check]:
    """Check all legs: of each unit's 7,770.00 770.00 is tax, and 3,000.00 the reseller's."""
    yield Check("a sale costs what was quoted", acts.quote.total, acts.usage.answer.amount)
    customer, reseller = cast.customer.wallet_id, cast.reseller.wallet_id
    for name, booked, parts in (("sale", acts.usage, 4), ("part taken back", acts.void, -1)):
        legs = {
            "VENDOR_COST": 200_000,
            "VENDOR_PAYABLE": -200_000,
            "REVENUE": -400_000,
            "TAX_PAYABLE": -77_000,
            customer: 777_000,
            reseller: -300_000,
        }
        yield Check(
            f"revenue, margin, tax and cost of the {name} are to the sen",
            {account: parts * minor for account, minor in legs.items()},
            {account: amount_on(booked, account) for account in legs},
        )


def amount_on(booked: Booked, account: str) -> int:
    """Sum the legs on a wallet, by its id, or on a house's account, by its type; minor units."""
    return sum(
        each.amount.minor_units
        for each in booked.ledger.entries
        if account == (each.wallet_id or account_type(each.account_type))
    )


def paid_by(booked: Booked) -> dict[str, int]:
    """Say how much each wallet paid, in minor units."""
    return {
        each.wallet_id: each.amount.minor_units
        for each in booked.ledger.entries
        if each.wallet_id and each.amount.minor_units > 0
    }
