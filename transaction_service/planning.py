"""What each action is in the books. Pure: actions, wallets and prices in, plans out."""

from dataclasses import replace
from functools import lru_cache

from shared.errors import FailedPrecondition, invalid
from transaction_service.domain import (
    Booking,
    BookUsage,
    CaptureHold,
    Charge,
    CommitUsage,
    ExtendBalance,
    ExtendLot,
    Leg,
    MoveBalance,
    OpenHold,
    Original,
    Plan,
    PositiveAmount,
    Profile,
    ReleaseHold,
    Spend,
    TopUp,
    Transfer,
    VoidOf,
    VoidTransaction,
)
from transaction_service.pricing.parts import part

HOUSE = ""


def plan_top_up(action: TopUp, wallet: Profile) -> Plan:
    """Plan that the house receives, and owes the wallet as much more, on terms if there are any."""
    asset_code, minor = action.amount.asset_code, action.amount.minor_units
    legs = (
        Leg("FUNDING", HOUSE, asset_code, minor),
        Leg("WALLET", action.wallet_id, asset_code, -minor),
    )
    return Plan("TOP_UP", wallet, legs, lot=action.lot)


def plan_transfer(action: Transfer, source: Profile) -> Plan:
    """Plan that the house owes another wallet what it owed this one."""
    return Plan("TRANSFER", source, _move(source, action.target_wallet_id, action.amount))


def plan_assignment(action: MoveBalance, target: Profile, wallet: Profile) -> Plan:
    """Plan that balance moves down the tree.

    Raises `FailedPrecondition` where the target does not stand below.
    """
    if _both_exist(wallet, target) and not _stands_below(target, wallet):
        raise _misplaced("NOT_BELOW", "below", wallet, target)
    return _plan_move("ASSIGNMENT", action, wallet)


def plan_unassignment(action: MoveBalance, target: Profile, wallet: Profile) -> Plan:
    """Plan that balance moves back up the tree.

    Raises `FailedPrecondition` where the target does not stand above.
    """
    if _both_exist(wallet, target) and not _stands_below(wallet, target):
        raise _misplaced("NOT_ABOVE", "above", wallet, target)
    return _plan_move("UNASSIGNMENT", action, wallet)


def plan_extension(action: ExtendBalance, wallet: Profile) -> Plan:
    """Plan that what is free of a lot expires later; no money moves."""
    extend_lot = ExtendLot(action.lot_id, action.asset_code, action.expires_at)
    return Plan("EXTENSION", wallet, (), extend_lot=extend_lot)


def plan_usage(wallet: Profile, charged: Charge, price_book_version: str) -> Plan:
    """Plan that the price is spent: on the house's revenue, resellers' margins and tax.

    The vendor is owed the cost.
    """
    return Plan(
        "USAGE",
        wallet,
        _usage_legs(charged),
        spend=Spend(charged.price, charged.product_code),
        charges=(charged,),
        used=charged,
        price_book_version=price_book_version,
    )


def plan_booking(
    usage: BookUsage, wallet: Profile, charged: Charge, price_book_version: str
) -> Plan:
    """Plan that the price is set aside, until the booking expires; nothing is earned yet."""
    return Plan(
        "BOOKING",
        wallet,
        (),
        hold=OpenHold(charged.price, usage.expires_at),
        spend=Spend(charged.price, charged.product_code),
        charges=(charged,),
        price_book_version=price_book_version,
    )


def plan_commit(action: CommitUsage, booking: Booking, wallet: Profile) -> Plan:
    """Plan a usage of some of the booked units, at the booking's price, out of what it holds.

    Raises `FailedPrecondition` for more than was booked, and `InvalidArgument` for units that are
    not worth a minor unit yet.
    """
    booked, quantity = booking.charge, action.quantity
    if quantity > booked.quantity:
        raise _more_than_booked(booking, quantity)
    # Where fewer are left, the last ones are asked for: the ledger knows a repeated request by its
    # id, and refuses any other.
    before = min(booking.captured_quantity, booked.quantity - quantity)
    charged = part(booked, before, quantity)
    hold = CaptureHold(booking.booking_id, charged.price, quantity, booking.captured_quantity)
    usage = plan_usage(wallet, charged, booking.price_book_version)
    return usage._replace(kind="COMMIT", hold=hold)


def once_committed(booking: Booking, action: CommitUsage) -> Booking:
    """Answer a booking as it stands for who comes after a commit in the same batch."""
    return replace(booking, captured_quantity=booking.captured_quantity + action.quantity)


def plan_cancellation(booking: Booking, wallet: Profile) -> Plan:
    """Plan that what the booking still holds is set free; nothing else moves."""
    hold = ReleaseHold(booking.booking_id)
    return Plan(
        "CANCELLATION", wallet, (), hold=hold, price_book_version=booking.price_book_version
    )


def plan_void(action: VoidTransaction, original: Original, wallet: Profile) -> Plan:
    """Plan that a transaction is taken back; the ledger makes the legs.

    Raises `InvalidArgument` for another asset's amount.
    """
    amount = action.amount
    if amount is not None and amount.asset_code != original.asset_code:
        raise invalid("amount.asset_code", f"must be {original.asset_code}, as it was")
    return Plan(
        "VOID",
        wallet,
        (),
        used=original.charge,
        price_book_version=original.price_book_version,
        void_of=VoidOf(original.transaction_id, amount.minor_units if amount else 0),
    )


def _plan_move(kind: str, action: MoveBalance, wallet: Profile) -> Plan:
    """Plan a move by the version that the caller read, if it said which."""
    asked = replace(wallet, version=action.wallet_version or wallet.version)
    return Plan(kind, asked, _move(wallet, action.target_wallet_id, action.amount))


def _move(source: Profile, target_wallet_id: str, amount: PositiveAmount) -> tuple[Leg, ...]:
    asset_code, minor = amount.asset_code, amount.minor_units
    return (
        Leg("WALLET", source.wallet_id, asset_code, minor),
        Leg("WALLET", target_wallet_id, asset_code, -minor),
    )


def _both_exist(wallet: Profile, target: Profile) -> bool:
    """Say whether the ledger would find them; if not, it refuses the plan."""
    return bool(wallet.path and target.path)


def _stands_below(lower: Profile, upper: Profile) -> bool:
    """Say whether `lower` stands below `upper`, with only wallets of an enterprise between."""
    ids = [each.wallet_id for each in lower.path]
    if upper.wallet_id not in ids[:-1]:
        return False
    branch = lower.path[ids.index(upper.wallet_id) :]
    return all(each.wallet_type == "ENTERPRISE" for each in branch)


def _misplaced(reason: str, where: str, wallet: Profile, target: Profile) -> FailedPrecondition:
    return FailedPrecondition(
        reason,
        f"{target.wallet_id} does not stand {where} {wallet.wallet_id} in its enterprise",
        {"wallet_id": wallet.wallet_id, "target_wallet_id": target.wallet_id},
    )


def _more_than_booked(booking: Booking, quantity: int) -> FailedPrecondition:
    booked = booking.charge
    needed_minor = -(-booked.price.minor_units * quantity // booked.quantity)
    return FailedPrecondition(
        "BOOKING_EXCEEDED",
        f"{booking.booking_id} is for {booked.quantity} units, not {quantity}",
        {
            "booking_id": booking.booking_id,
            "remaining_minor": str(booking.held_remaining_minor),
            "needed_minor": str(needed_minor),
        },
    )


@lru_cache(maxsize=1024)
def _usage_legs(charged: Charge) -> tuple[Leg, ...]:
    """Say where the price and the cost go; who pays the price is the ledger's affair."""
    asset_code = charged.price.asset_code
    legs = [
        Leg("REVENUE", HOUSE, asset_code, -charged.revenue.minor_units),
        *(Leg("WALLET", each.wallet_id, asset_code, -each.minor_units) for each in charged.margins),
    ]
    if charged.tax is not None:
        legs.append(Leg("TAX_PAYABLE", HOUSE, asset_code, -charged.tax.minor_units))
    if charged.cost is not None:
        cost_asset, cost_minor = charged.cost.asset_code, charged.cost.minor_units
        legs.append(Leg("VENDOR_COST", HOUSE, cost_asset, cost_minor))
        legs.append(Leg("VENDOR_PAYABLE", HOUSE, cost_asset, -cost_minor))
    return tuple(leg for leg in legs if leg.amount_minor)
