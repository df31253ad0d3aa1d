"""What a plan may be refused for before its movements are known, rule by rule in their order.

`errors.POSTING_RULES` is that order.
"""

from collections.abc import Sequence
from datetime import datetime

from wallet_service import ids
from wallet_service.decide.legs import (
    holders_of,
    named_accounts,
    original_of,
    voidable_of,
)
from wallet_service.decide.lots import is_expired
from wallet_service.decide.model import Books, Hold, Original
from wallet_service.decide.plan import AccountKey, CaptureHold, OpenHold, Plan
from wallet_service.decide.voids import VOIDABLE_KINDS, void_minor
from wallet_service.errors import (
    ASSET_UNKNOWN,
    BOOKING_CLOSED,
    BOOKING_EXCEEDED,
    BOOKING_EXPIRED,
    BOOKING_NOT_FOUND,
    BOOKING_STALE,
    EXPIRE_TIME_PAST,
    LOT_NOT_FOUND,
    LOT_STALE,
    TRANSACTION_NOT_VOIDABLE,
    VOID_EXCEEDED,
    WALLET_FROZEN,
    Refusal,
    period_closed,
    transaction_not_found,
    version_stale,
    wallet_closed,
    wallet_not_found,
)


def asset_refusal(missing: Sequence[AccountKey], books: Books) -> Refusal | None:
    """Refuse an asset that is not registered: its accounts cannot be there."""
    for key in missing:
        if key.asset_code not in books.assets:
            return Refusal(
                ASSET_UNKNOWN,
                f"asset {key.asset_code} is not registered",
                {"asset_code": key.asset_code},
                field="amount.asset_code",
            )
    return None


def refusal_of(
    plan: Plan, books: Books, keys: Sequence[AccountKey], missing: Sequence[AccountKey]
) -> Refusal | None:
    """Answer the first rule that a plan breaks; of its accounts, `keys`, some may be missing."""
    return (
        _expiry_refusal(plan, books)
        or _wallet_refusal(plan, books, missing)
        or _period_refusal(plan, books)
        or _state_refusal(plan, books, keys)
        or (_hold_refusal(plan, books) if plan.booking_id is not None else None)
        or (_void_refusal(plan, books) if plan.void_of else None)
        or (_lot_refusal(plan, books) if plan.break_lot or plan.extend_lot else None)
    )


def _expiry_refusal(plan: Plan, books: Books) -> Refusal | None:
    if isinstance(plan.hold, OpenHold) and _is_past(plan.hold.expires_at, books):
        return Refusal(EXPIRE_TIME_PAST, "must be to come", field="expire_time")
    if plan.lot and _is_past(plan.lot.expires_at, books):
        return Refusal(EXPIRE_TIME_PAST, "must be to come", field="lot.expire_time")
    if plan.extend_lot and _is_past(plan.extend_lot.expires_at, books):
        return Refusal(EXPIRE_TIME_PAST, "must be to come", field="expire_time")
    return None


def _is_past(moment: datetime | None, books: Books) -> bool:
    return moment is not None and moment <= books.now


def _wallet_refusal(plan: Plan, books: Books, missing: Sequence[AccountKey]) -> Refusal | None:
    if missing:
        return wallet_not_found(ids.wallet_text(missing[0].wallet_id))
    if not plan.needs_node:
        return None
    node = books.facts.nodes.get(plan.wallet_id)
    if node is None:
        return wallet_not_found(ids.wallet_text(plan.wallet_id))
    if plan.wallet_version not in {0, node.version}:
        return version_stale(ids.wallet_text(plan.wallet_id), plan.wallet_version)
    return None


def _period_refusal(plan: Plan, books: Books) -> Refusal | None:
    closed_until = books.closed_until
    if closed_until is None or (plan.effective_at or books.now) >= closed_until:
        return None
    return period_closed(closed_until)


def _state_refusal(plan: Plan, books: Books, keys: Sequence[AccountKey]) -> Refusal | None:
    own = books.facts.nodes[plan.wallet_id].state if plan.needs_node else "ACTIVE"
    states_of_all = [own, *[books.accounts[key].wallet_state for key in keys]]
    if states_of_all.count("ACTIVE") == len(states_of_all):
        return None
    named = named_accounts(plan, books.facts)
    states = {plan.wallet_id: own} | {e.wallet_id: books.accounts[e].wallet_state for e in named}
    for wallet_id, state in states.items():
        if state == "CLOSED":
            return wallet_closed(ids.wallet_text(wallet_id))
    debited = _debited(plan, books)
    for wallet_id, state in states.items():
        if state == "FROZEN" and wallet_id in debited:
            wallet = ids.wallet_text(wallet_id)
            return Refusal(WALLET_FROZEN, f"wallet {wallet} is frozen", {"wallet_id": wallet})
    return None


def _debited(plan: Plan, books: Books) -> set[int]:
    """Answer the wallets from which a plan takes, or sets aside; a broken lot is not taken."""
    if plan.break_lot:
        return set()
    debited = {leg.key for leg in plan.legs if leg.amount_minor > 0}
    if isinstance(plan.hold, CaptureHold):
        debited |= set(holders_of(plan.hold.booking_id, plan, books.facts))
    if original := voidable_of(plan, books.facts):
        debited |= {each.key for each in original.entries if each.amount_minor < 0}
    own = {plan.wallet_id} if plan.spend or isinstance(plan.hold, OpenHold) else set()
    return own | {key.wallet_id for key in debited}


def _hold_refusal(plan: Plan, books: Books) -> Refusal | None:
    wanted, booking_id = plan.hold, plan.booking_id
    booking = ids.booking_text(booking_id or 0)
    named = {"booking_id": booking}
    hold = books.holds.get(booking_id or 0)
    if hold is None or hold.wallet_id != plan.wallet_id or not _is_in_asset(hold, plan):
        return Refusal(BOOKING_NOT_FOUND, f"booking {booking} does not exist", named)
    if not hold.remaining_minor:
        return Refusal(BOOKING_CLOSED, f"booking {booking} holds nothing more", named)
    if isinstance(wanted, CaptureHold) and plan.spend:
        return _capture_refusal(wanted, plan.spend.amount_minor, hold, books)
    return None


def _is_in_asset(hold: Hold, plan: Plan) -> bool:
    return plan.spend is None or hold.parts[0].key.asset_code == plan.spend.asset_code


def _capture_refusal(
    wanted: CaptureHold, needed_minor: int, hold: Hold, books: Books
) -> Refusal | None:
    booking = ids.booking_text(hold.booking_id)
    named = {"booking_id": booking}
    if _is_past(hold.expires_at, books):
        return Refusal(BOOKING_EXPIRED, f"booking {booking} has expired", named)
    if wanted.quantity_before not in {None, hold.captured_quantity}:
        message = f"some of booking {booking} was taken meanwhile: read it again"
        return Refusal(BOOKING_STALE, message, named)
    if needed_minor > hold.remaining_minor:
        return Refusal(
            BOOKING_EXCEEDED,
            f"booking {booking} holds {hold.remaining_minor}, not {needed_minor}",
            named
            | {"remaining_minor": str(hold.remaining_minor), "needed_minor": str(needed_minor)},
        )
    return None


def _void_refusal(plan: Plan, books: Books) -> Refusal | None:
    assert plan.void_of  # noqa: S101 (the caller has looked)
    name = ids.transaction_text(plan.void_of.transaction_id)
    named = {"transaction_id": name}
    found = original_of(plan, books.facts)
    if found is None:
        return transaction_not_found(name)
    if found.kind not in VOIDABLE_KINDS:
        message = f"{name} is a {found.kind.lower()}, which cannot be voided"
        return Refusal(TRANSACTION_NOT_VOIDABLE, message, named)
    return _void_excess(found, void_minor(plan.void_of, books), books)


def _void_excess(original: Original, needed_minor: int, books: Books) -> Refusal | None:
    left_minor = original.amount_minor - books.voided.get(original.transaction_id, 0)
    if needed_minor <= left_minor:
        return None
    name = ids.transaction_text(original.transaction_id)
    return Refusal(
        VOID_EXCEEDED,
        f"of {name} {left_minor} is left to void, not {needed_minor}",
        {
            "transaction_id": name,
            "remaining_minor": str(left_minor),
            "needed_minor": str(needed_minor),
        },
    )


def _lot_refusal(plan: Plan, books: Books) -> Refusal | None:
    wanted = plan.break_lot or plan.extend_lot
    assert wanted  # noqa: S101 (the caller has looked)
    lot = books.accounts[wanted.key].lots.get(wanted.lot_id)
    name = ids.lot_text(*wanted.lot_id)
    named = {"lot_id": name}
    if plan.break_lot:
        is_as_read = (
            lot and is_expired(lot, books.now) and lot.free_minor == plan.break_lot.amount_minor
        )
        return (
            None if is_as_read else Refusal(LOT_STALE, f"{name} is no longer as it was read", named)
        )
    if lot is None or not lot.free_minor or is_expired(lot, books.now):
        return Refusal(LOT_NOT_FOUND, f"the wallet has nothing free of {name}", named)
    expires_at = lot.terms.expires_at
    if plan.extend_lot and (expires_at is None or plan.extend_lot.expires_at <= expires_at):
        return Refusal(
            EXPIRE_TIME_PAST, f"must be after the present one, {expires_at}", named, "expire_time"
        )
    return None
