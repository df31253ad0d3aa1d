"""What each action is in the books. Pure: actions and prices in, balanced plans out."""

from dataclasses import replace

from shared.errors import FailedPrecondition, invalid
from transaction_service.domain import (
    Amount,
    Booking,
    CaptureHold,
    Charge,
    Leg,
    OpenHold,
    Original,
    Plan,
    ReleaseHold,
    TopUp,
    Transfer,
    Usage,
    VoidOf,
)
from transaction_service.pricing.price_book import charge

HOUSE = ""


def plan_top_up(action: TopUp) -> Plan:
    """Plan that the house receives, and owes the wallet as much more, on terms if there are any."""
    asset_code, minor = action.amount.asset_code, action.amount.minor_units
    legs = (
        Leg("FUNDING", HOUSE, asset_code, minor),
        Leg("WALLET", action.wallet_id, asset_code, -minor),
    )
    return Plan("TOP_UP", action.wallet_id, legs, lot=action.lot)


def plan_transfer(action: Transfer) -> Plan:
    """Plan that the house owes another wallet what it owed this one."""
    asset_code, minor = action.amount.asset_code, action.amount.minor_units
    legs = (
        Leg("WALLET", action.source_wallet_id, asset_code, minor),
        Leg("WALLET", action.target_wallet_id, asset_code, -minor),
    )
    return Plan("TRANSFER", action.source_wallet_id, legs)


def plan_usage(wallet_id: str, charged: Charge, price_book_version: str) -> Plan:
    """Plan that the wallet pays the price, which is earned, and the vendor is owed the cost."""
    legs = _usage_legs(wallet_id, charged)
    return Plan(
        "USAGE",
        wallet_id,
        legs,
        charges=(charged,),
        price_book_version=price_book_version,
        product_code=charged.product_code,
        vendor_code=charged.vendor_code,
        quantity=charged.quantity,
    )


def plan_booking(usage: Usage, charged: Charge, price_book_version: str) -> Plan:
    """Plan that the price is set aside, until the booking expires; nothing is earned yet."""
    hold = OpenHold(charged.price, usage.expires_at)
    return Plan("BOOKING", usage.wallet_id, (), hold, (charged,), price_book_version)


def plan_commit(booking: Booking, quantity: int) -> Plan:
    """Plan a usage at the booking's price, out of what it holds.

    Raises `InvalidArgument` where the quantity makes too large an amount.
    """
    frozen = booking.charge
    charged = charge(
        frozen.product_code, quantity, frozen.unit_price, frozen.unit_cost, frozen.vendor_code
    )
    plan = plan_usage(booking.wallet_id, charged, booking.price_book_version)
    return replace(plan, kind="COMMIT", hold=CaptureHold(booking.booking_id, charged.price))


def plan_cancellation(booking: Booking) -> Plan:
    """Plan that what the booking still holds is set free; nothing else moves."""
    hold = ReleaseHold(booking.booking_id, booking.charge.price.asset_code)
    version = booking.price_book_version
    return Plan("CANCELLATION", booking.wallet_id, (), hold, (), version)


def plan_void(original: Original, amount: Amount | None) -> Plan:
    """Plan that every leg is taken back in the same proportion, rounded down.

    What was taken back up to now and what will have been are rounded, and the difference is
    moved: so parts always make the whole. Raises `InvalidArgument` for another asset's amount,
    `FailedPrecondition` for more than the whole.
    """
    if amount is not None and amount.asset_code != original.asset_code:
        raise invalid("amount.asset_code", f"must be {original.asset_code}, as it was")
    if amount is not None and amount.minor_units > original.amount_minor:
        raise _more_than_whole(original, amount)
    # Where nothing is left, the whole is asked for: the ledger knows a repeated request by its
    # id, and refuses any other.
    left_minor = (original.amount_minor - original.voided_minor) or original.amount_minor
    minor = amount.minor_units if amount else left_minor
    before = _part(original, original.voided_minor)
    after = _part(original, original.voided_minor + minor)
    return Plan(
        "VOID",
        original.wallet_id,
        tuple(
            replace(leg, amount_minor=before[i] - after[i])
            for i, leg in enumerate(original.legs)
            if before[i] != after[i]
        ),
        price_book_version=original.price_book_version,
        product_code=original.product_code,
        vendor_code=original.vendor_code,
        void_of=VoidOf(original.transaction_id, minor, original.voided_minor),
    )


def _more_than_whole(original: Original, amount: Amount) -> FailedPrecondition:
    left_minor = original.amount_minor - original.voided_minor
    return FailedPrecondition(
        "VOID_EXCEEDED",
        f"of {original.transaction_id} {left_minor} is left to void, not {amount.minor_units}",
        {
            "transaction_id": original.transaction_id,
            "remaining_minor": str(left_minor),
            "needed_minor": str(amount.minor_units),
        },
    )


def _part(original: Original, minor: int) -> list[int]:
    """Scale the legs to `minor` of the original's amount; they stay balanced in each asset.

    The wallet's own leg is exact. Of each asset's other legs the last takes what rounding leaves.
    """
    last = {leg.asset_code: i for i, leg in enumerate(original.legs)}
    sums = dict.fromkeys(last, 0)
    parts = []
    for i, leg in enumerate(original.legs):
        scaled = abs(leg.amount_minor) * minor // original.amount_minor
        part = (
            -sums[leg.asset_code]
            if i == last[leg.asset_code]
            else (scaled if leg.amount_minor > 0 else -scaled)
        )
        sums[leg.asset_code] += part
        parts.append(part)
    return parts


def _usage_legs(wallet_id: str, charged: Charge) -> tuple[Leg, ...]:
    asset_code, price_minor = charged.price.asset_code, charged.price.minor_units
    return (
        Leg("WALLET", wallet_id, asset_code, price_minor),
        Leg("REVENUE", HOUSE, asset_code, -price_minor),
        *_cost_legs(charged.cost),
    )


def _cost_legs(cost: Amount | None) -> tuple[Leg, ...]:
    if cost is None:
        return ()
    return (
        Leg("VENDOR_COST", HOUSE, cost.asset_code, cost.minor_units),
        Leg("VENDOR_PAYABLE", HOUSE, cost.asset_code, -cost.minor_units),
    )
