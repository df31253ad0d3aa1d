"""What each action is in the books: legs, holds and spending, computed by hand."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import FailedPrecondition, InvalidArgument
from transaction_service import planning
from transaction_service.domain import (
    Amount,
    Booking,
    BookUsage,
    CaptureHold,
    Charge,
    CommitUsage,
    ExtendBalance,
    ExtendLot,
    Leg,
    Margin,
    MoveBalance,
    Node,
    OpenHold,
    Original,
    Plan,
    Profile,
    ReleaseHold,
    Spend,
    TopUp,
    Transfer,
    VoidOf,
    VoidTransaction,
)

EXPIRY = datetime(2030, 1, 1, tzinfo=UTC)
COMMON: dict[str, object] = {
    "request_id": "request-1",
    "reference": "",
    "effective_at": None,
    "metadata": {},
    "validate_only": False,
    "body_digest": bytes(16),
    "traceparent": "",
}


def asked(kind: type[Any], **parts: object) -> Any:
    """Build what a caller asks; amounts are taken over as they come over the wire."""
    plain = {
        name: part._asdict() if isinstance(part, Amount) else part for name, part in parts.items()
    }
    return kind.model_validate(COMMON | plain)


def idr(minor_units: int) -> Amount:
    return Amount(asset_code="IDR", minor_units=minor_units)


def profile(*path: tuple[str, str, str], version: int = 3) -> Profile:
    nodes = tuple(Node(*each) for each in path)
    return Profile(nodes[-1].wallet_id, nodes[-1].wallet_type, version, nodes)


PERSON = profile(("wal_1", "PERSONAL", ""))

# An enterprise of a reseller's: head → shop → till, and a shop beside it.
RESELLER = ("wal_8", "RESELLER", "")
HEAD = ("wal_2", "ENTERPRISE", "ENTERPRISE")
SHOP = ("wal_3", "ENTERPRISE", "MERCHANT")
TILL = ("wal_4", "ENTERPRISE", "CHANNEL")
OTHER_SHOP = ("wal_5", "ENTERPRISE", "MERCHANT")
TREE = {
    "reseller": profile(RESELLER),
    "head": profile(RESELLER, HEAD),
    "shop": profile(RESELLER, HEAD, SHOP),
    "till": profile(RESELLER, HEAD, SHOP, TILL),
    "other shop": profile(RESELLER, HEAD, OTHER_SHOP),
    "unknown": Profile("wal_99", "", 0, ()),
}

# Four documents at 500, of which nothing but the price is known.
PLAIN = Charge(
    product_code="SIGN",
    quantity=4,
    unit_price=idr(500),
    price=idr(2000),
    unit_cost=None,
    cost=None,
    vendor_code="",
    tax=None,
    tax_code="",
    revenue=idr(2000),
    margins=(),
)
BOUGHT = PLAIN._replace(cost=idr(600), unit_cost=idr(150), vendor_code="CA")
# VAT of 11 % on top: 2,000 and 220.
TAXED = BOUGHT._replace(price=idr(2220), tax=idr(220), tax_code="VAT")
# Sold at 2,000 by a reseller that pays 1,700, to one that pays the house 1,200.
RESOLD_TWICE = TAXED._replace(
    revenue=idr(1200), margins=(Margin("wal_8", 300), Margin("wal_7", 500))
)
# A reseller that sells at what it pays.
RESOLD_AT_COST = PLAIN._replace(margins=(Margin("wal_8", 0),))
# Paid in units of a quota; what they cost is money.
IN_UNITS = BOUGHT._replace(
    unit_price=Amount(asset_code="ESIGN", minor_units=1),
    price=Amount(asset_code="ESIGN", minor_units=4),
    revenue=Amount(asset_code="ESIGN", minor_units=4),
)

REVENUE = Leg("REVENUE", "", "IDR", -2000)
COSTS = (Leg("VENDOR_COST", "", "IDR", 600), Leg("VENDOR_PAYABLE", "", "IDR", -600))
TAX = Leg("TAX_PAYABLE", "", "IDR", -220)

USAGES = [
    ("plain", PLAIN, (REVENUE,)),
    ("vendor", BOUGHT, (REVENUE, *COSTS)),
    ("tax", TAXED, (REVENUE, TAX, *COSTS)),
    (
        "two tiers of resellers",
        RESOLD_TWICE,
        (
            Leg("REVENUE", "", "IDR", -1200),
            Leg("WALLET", "wal_8", "IDR", -300),
            Leg("WALLET", "wal_7", "IDR", -500),
            TAX,
            *COSTS,
        ),
    ),
    ("no margin, no leg", RESOLD_AT_COST, (REVENUE,)),
    ("in units", IN_UNITS, (Leg("REVENUE", "", "ESIGN", -4), *COSTS)),
]


def _short_of(plan: Plan) -> dict[str, int]:
    """Say what the legs lack in each asset."""
    sums = Counter[str]()
    for leg in plan.legs:
        sums[leg.asset_code] -= leg.amount_minor
    return {asset_code: minor for asset_code, minor in sums.items() if minor}


@pytest.mark.parametrize(("charged", "legs"), [each[1:] for each in USAGES])
def test_a_usage_says_where_the_price_and_the_cost_go(
    charged: Charge, legs: tuple[Leg, ...]
) -> None:
    """Revenue, margins, tax and cost have legs; what they lack is spent, and the ledger's."""
    plan = planning.plan_usage(PERSON, charged, "v1")
    assert plan.legs == legs
    assert plan.spend == Spend(charged.price, "SIGN")
    assert _short_of(plan) == {charged.price.asset_code: charged.price.minor_units}
    assert (plan.kind, plan.charges, plan.used) == ("USAGE", (charged,), charged)
    assert (plan.wallet, plan.price_book_version) == (PERSON, "v1")


def test_a_booking_sets_the_whole_price_aside() -> None:
    """Tax and margins included; nothing is earned, so there are no legs."""
    usage = asked(BookUsage, wallet_id="wal_1", product_code="SIGN", quantity=4, expires_at=EXPIRY)
    plan = planning.plan_booking(usage, PERSON, RESOLD_TWICE, "v1")
    assert (plan.kind, plan.legs) == ("BOOKING", ())
    assert plan.hold == OpenHold(idr(2220), EXPIRY)
    assert plan.spend == Spend(idr(2220), "SIGN")
    assert (plan.charges, plan.used) == ((RESOLD_TWICE,), None)


def _commit(quantity: int, captured: int, charged: Charge = BOUGHT) -> Plan:
    booking = Booking("bkg_1", "wal_1", charged, "v1", captured, 500)
    return planning.plan_commit(
        asked(CommitUsage, booking_id="bkg_1", quantity=quantity), booking, PERSON
    )


# Four units for 10: they are worth 2, 3, 2 and 3.
UNEVEN = PLAIN._replace(unit_price=None, price=idr(10), revenue=idr(10))

COMMITS = [
    ("the first three", BOUGHT, 3, 0, 1500, 450),
    ("the last one", BOUGHT, 1, 3, 500, 150),
    ("uneven: the second", UNEVEN, 1, 1, 3, 0),
    ("uneven: the last two", UNEVEN, 2, 2, 5, 0),
    ("more than is left: the last three", UNEVEN, 3, 2, 8, 0),
]


@pytest.mark.parametrize(
    ("charged", "quantity", "captured", "price_minor", "cost_minor"),
    [each[1:] for each in COMMITS],
)
def test_a_commit_takes_its_part_of_the_booking(
    charged: Charge, quantity: int, captured: int, price_minor: int, cost_minor: int
) -> None:
    """By quantity, after what was taken before; what is captured is what is spent."""
    plan = _commit(quantity, captured, charged)
    assert plan.kind == "COMMIT"
    assert plan.hold == CaptureHold("bkg_1", idr(price_minor), quantity, captured)
    assert plan.spend == Spend(idr(price_minor), "SIGN")
    amounts = {leg.account_type: leg.amount_minor for leg in plan.legs}
    assert amounts["REVENUE"] == -price_minor
    assert amounts.get("VENDOR_COST", 0) == cost_minor
    assert plan.used is not None
    assert plan.used.quantity == quantity


def test_a_commit_of_more_than_was_booked_is_refused() -> None:
    """With what is held and what would be needed."""
    with pytest.raises(FailedPrecondition) as refused:
        _commit(5, 3)
    assert refused.value.reason == "BOOKING_EXCEEDED"
    assert refused.value.metadata == {
        "booking_id": "bkg_1",
        "remaining_minor": "500",
        "needed_minor": "2500",
    }


def test_a_commit_worth_less_than_a_minor_unit_is_refused() -> None:
    """Four units for 1: the first is worth nothing yet, and nothing can be taken for it."""
    with pytest.raises(InvalidArgument, match="quantity: comes to less than one minor unit"):
        _commit(1, 0, PLAIN._replace(unit_price=None, price=idr(1), revenue=idr(1)))


def test_a_cancellation_sets_free_what_is_held() -> None:
    """Whatever it is, in the booking's asset."""
    plan = planning.plan_cancellation(Booking("bkg_1", "wal_1", BOUGHT, "v1", 1, 1500), PERSON)
    assert (plan.kind, plan.legs, plan.spend) == ("CANCELLATION", (), None)
    assert plan.hold == ReleaseHold("bkg_1")


ORIGINAL = Original("txn_1", "wal_1", "IDR", TAXED, "v1")


@pytest.mark.parametrize(("amount", "minor"), [(None, 0), (idr(70), 70)])
def test_a_void_leaves_the_legs_to_the_ledger(amount: Amount | None, minor: int) -> None:
    """It says of what and how much; finance is told of the product that it was."""
    action = asked(VoidTransaction, transaction_id="txn_1", amount=amount)
    plan = planning.plan_void(action, ORIGINAL, PERSON)
    assert (plan.kind, plan.legs, plan.charges) == ("VOID", (), ())
    assert plan.void_of == VoidOf("txn_1", minor)
    assert (plan.used, plan.price_book_version) == (TAXED, "v1")


def test_a_void_in_another_asset_names_the_field() -> None:
    """An amount says how much of what the transaction moved, in its asset."""
    dollars = Amount(asset_code="USD", minor_units=1)
    action = asked(VoidTransaction, transaction_id="txn_1", amount=dollars)
    with pytest.raises(InvalidArgument, match=r"amount.asset_code: must be IDR"):
        planning.plan_void(action, ORIGINAL, PERSON)


def test_money_that_comes_in_or_moves_is_two_legs() -> None:
    """A top-up comes from the house's funding, a transfer from another wallet."""
    top_up = planning.plan_top_up(asked(TopUp, wallet_id="wal_1", amount=idr(7)), PERSON)
    transfer = asked(Transfer, source_wallet_id="wal_1", target_wallet_id="wal_2", amount=idr(7))
    assert top_up.legs == (Leg("FUNDING", "", "IDR", 7), Leg("WALLET", "wal_1", "IDR", -7))
    assert planning.plan_transfer(transfer, PERSON).legs == (
        Leg("WALLET", "wal_1", "IDR", 7),
        Leg("WALLET", "wal_2", "IDR", -7),
    )


def _move(giver: str, target: str, version: int = 0) -> tuple[MoveBalance, Profile, Profile]:
    action: MoveBalance = asked(
        MoveBalance,
        wallet_id=TREE[giver].wallet_id,
        target_wallet_id=TREE[target].wallet_id,
        amount=idr(7),
        wallet_version=version,
    )
    return action, TREE[target], TREE[giver]


@pytest.mark.parametrize(
    ("upper", "lower"), [("head", "shop"), ("head", "till"), ("shop", "till"), ("head", "unknown")]
)
def test_balance_moves_down_and_up_a_branch(upper: str, lower: str) -> None:
    """Whatever the distance. What does not exist is the ledger's to refuse."""
    down = planning.plan_assignment(*_move(upper, lower))
    up = planning.plan_unassignment(*_move(lower, upper))
    assert (down.kind, up.kind) == ("ASSIGNMENT", "UNASSIGNMENT")
    ids = TREE[upper].wallet_id, TREE[lower].wallet_id
    assert down.legs == (Leg("WALLET", ids[0], "IDR", 7), Leg("WALLET", ids[1], "IDR", -7))
    assert up.legs == (Leg("WALLET", ids[1], "IDR", 7), Leg("WALLET", ids[0], "IDR", -7))
    assert down.spend is None


@pytest.mark.parametrize(
    ("giver", "target"),
    [("shop", "head"), ("shop", "other shop"), ("shop", "shop"), ("reseller", "head")],
)
def test_balance_moves_down_only_to_what_stands_below(giver: str, target: str) -> None:
    """Not up, not aside, not to itself, and not out of one customer's hands into another's."""
    with pytest.raises(FailedPrecondition) as refused:
        planning.plan_assignment(*_move(giver, target))
    assert refused.value.reason == "NOT_BELOW"
    with pytest.raises(FailedPrecondition) as refused:
        planning.plan_unassignment(*_move(target, giver))
    assert refused.value.reason == "NOT_ABOVE"


@pytest.mark.parametrize(("asked_version", "planned"), [(0, 3), (2, 2)])
def test_a_move_goes_by_the_version_that_the_caller_read(asked_version: int, planned: int) -> None:
    """Or by the one that was read for the plan, where the caller does not say."""
    plan = planning.plan_assignment(*_move("head", "shop", asked_version))
    assert plan.wallet.version == planned


def test_an_extension_moves_nothing() -> None:
    """A lot gets another expiry; there is no leg, and no spending."""
    action = asked(
        ExtendBalance, wallet_id="wal_1", lot_id="lot_1_0", asset_code="IDR", expires_at=EXPIRY
    )
    plan = planning.plan_extension(action, PERSON)
    assert (plan.kind, plan.legs, plan.spend) == ("EXTENSION", (), None)
    assert plan.extend_lot == ExtendLot("lot_1_0", "IDR", EXPIRY)
