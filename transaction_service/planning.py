"""What each action is in the books. Pure: actions and prices in, balanced plans out."""

from dataclasses import replace

from transaction_service.domain import (
    Amount,
    Booking,
    CaptureHold,
    Charge,
    Leg,
    OpenHold,
    Plan,
    ReleaseHold,
    TopUp,
    Transfer,
)
from transaction_service.pricing.price_book import charge

HOUSE = ""


def plan_top_up(action: TopUp) -> Plan:
    """Plan that the house receives, and owes the wallet as much more."""
    asset_code, minor = action.amount.asset_code, action.amount.minor_units
    legs = (
        Leg("FUNDING", HOUSE, asset_code, minor),
        Leg("WALLET", action.wallet_id, asset_code, -minor),
    )
    return Plan("TOP_UP", action.wallet_id, legs)


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
    return Plan("USAGE", wallet_id, legs, None, (charged,), price_book_version)


def plan_booking(wallet_id: str, charged: Charge, price_book_version: str) -> Plan:
    """Plan that the price is set aside; nothing is earned yet."""
    hold = OpenHold(charged.price)
    return Plan("BOOKING", wallet_id, (), hold, (charged,), price_book_version)


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
