"""What an accepted plan becomes: entries, hold, transaction, and its effect on the books."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from wallet_service import ids
from wallet_service.decide.lots import LotChanges, lot_changes
from wallet_service.decide.model import (
    MAX_OPEN_LOTS,
    Account,
    Books,
    Entry,
    Hold,
    HoldPart,
    Lot,
    LotEntry,
    Moved,
    OpenedLot,
    Posted,
    Transaction,
    Writes,
)
from wallet_service.decide.plan import AccountKey, CaptureHold, Leg, OpenHold, Plan, VoidOf
from wallet_service.decide.policy import WindowKey
from wallet_service.decide.spending import counted_in, spending_voided_minor
from wallet_service.decide.voids import void_minor
from wallet_service.errors import LOT_LIMIT_EXCEEDED, Refusal


def post(
    plan: Plan,
    moved: Sequence[Moved],
    books: Books,
    writes: Writes,
    transaction_id: int,
) -> Posted | Refusal:
    """Book a plan in the books in hand, unless it only asks for validation.

    Refuses with `LOT_LIMIT_EXCEEDED`, the last of the rules.
    """
    on_lots = lot_changes(plan, moved, books, transaction_id)
    if refusal := _lot_limit_refusal(on_lots, books):
        return refusal
    entries = tuple([_entry(leg, account, on_lots.entries) for leg, account in moved])
    hold = _hold_after(plan, moved, books, transaction_id, on_lots) if plan.hold else None
    transaction = _transaction(
        plan,
        transaction_id,
        entries,
        hold=hold,
        opened_lots=on_lots.opened,
        spending=_spending(plan, entries, books),
    )
    posted = Posted(transaction, plan)
    if not plan.validate_only:
        _apply(posted, moved, hold, books, writes)
    return posted


def _lot_limit_refusal(on_lots: LotChanges, books: Books) -> Refusal | None:
    if not on_lots.opened:
        return None
    opened = Counter(lot.account_id for lot in on_lots.opened)
    for key in on_lots.entries:
        account = books.accounts[key]
        if account.open_lots + opened[account.account_id] > MAX_OPEN_LOTS:
            wallet = ids.wallet_text(key.wallet_id)
            return Refusal(
                LOT_LIMIT_EXCEEDED,
                f"{wallet} would have more than {MAX_OPEN_LOTS} lots in {key.asset_code}",
                {"wallet_id": wallet, "asset_code": key.asset_code, "limit": str(MAX_OPEN_LOTS)},
            )
    return None


def _entry(leg: Leg, account: Account, on_lots: Mapping[AccountKey, tuple[LotEntry, ...]]) -> Entry:
    key, amount_minor, held_change_minor = leg
    return Entry(
        key,
        account.account_id,
        amount_minor,
        held_change_minor,
        account.balance_minor + amount_minor,
        account.held_minor + held_change_minor,
        account.credit_limit_minor,
        on_lots.get(key, ()) if on_lots else (),
    )


def _hold_after(
    plan: Plan,
    moved: Sequence[Moved],
    books: Books,
    transaction_id: int,
    on_lots: LotChanges,
) -> Hold | None:
    """Answer what a booking holds after a plan that opens it, takes from it or sets it free."""
    wanted = plan.hold
    if wanted is None:
        return None
    held = [(leg, account) for leg, account in moved if leg.held_change_minor]
    if isinstance(wanted, OpenHold):
        parts = tuple(
            HoldPart(leg.key, account.account_id, leg.held_change_minor) for leg, account in held
        )
        hold = Hold(transaction_id, plan.wallet_id, parts, expires_at=wanted.expires_at)
        hold = replace(hold, counted=counted_in(plan, books))
    else:
        hold = books.holds[wanted.booking_id]
        given = {leg.key: -leg.held_change_minor for leg, _ in held}
        taken = wanted.quantity if isinstance(wanted, CaptureHold) else None
        hold = replace(
            hold,
            parts=tuple(
                _less(part, given.get(part.key, 0), taken=taken is not None) for part in hold.parts
            ),
            captured_quantity=hold.captured_quantity + (taken or 0),
            expired=plan.kind == "EXPIRATION",
        )
    return replace(hold, parts=tuple(_on_lots(part, on_lots) for part in hold.parts))


def _less(part: HoldPart, minor: int, *, taken: bool) -> HoldPart:
    if taken:
        return replace(part, captured_minor=part.captured_minor + minor)
    return replace(part, released_minor=part.released_minor + minor)


def _on_lots(part: HoldPart, on_lots: LotChanges) -> HoldPart:
    changed = on_lots.entries.get(part.key)
    if not changed:
        return part
    held = Counter(part.lots)
    held.update({each.lot_id: each.held_change_minor for each in changed})
    return replace(part, lots=dict(held))


class _Spending(NamedTuple):
    """What a transaction spends, or gives back of spending, and where that counts."""

    minor: int | None = None
    counted: tuple[WindowKey, ...] = ()


_NO_SPENDING = _Spending()


def _spending(plan: Plan, entries: Sequence[Entry], books: Books) -> _Spending:
    if plan.spend:
        minor: int | None = plan.spend.amount_minor
    elif plan.void_of:
        minor = spending_voided_minor(plan.void_of, books)
    elif plan.booking_id is not None:
        minor = sum([each.held_change_minor for each in entries])
    else:
        return _NO_SPENDING
    return _Spending(minor, counted_in(plan, books))


def _transaction(  # noqa: PLR0913 (made at once: changing it costs as much as deciding it)
    plan: Plan,
    transaction_id: int,
    entries: tuple[Entry, ...],
    *,
    hold: Hold | None,
    opened_lots: tuple[OpenedLot, ...],
    spending: _Spending,
) -> Transaction:
    written_at = ids.recorded_at(transaction_id)
    return Transaction(
        transaction_id=0 if plan.validate_only else transaction_id,
        kind=plan.kind,
        wallet_id=plan.wallet_id,
        booking_id=hold.booking_id if hold else None,
        request_id=plan.request_id,
        reference=plan.reference,
        metadata_json=plan.metadata_json,
        price_book_version=plan.price_book_version,
        charges_json=plan.charges_json,
        recorded_at=written_at,
        effective_at=plan.effective_at or written_at,
        entries=entries,
        held_remaining_minor=hold.remaining_minor if hold else 0,
        captured_minor=hold.captured_minor if hold else 0,
        captured_quantity=hold.captured_quantity if hold else 0,
        expires_at=hold.expires_at if hold else None,
        voids_transaction_id=plan.void_of.transaction_id if plan.void_of else None,
        exchange_rate_json=plan.exchange_rate_json,
        opened_lots=opened_lots,
        spent_minor=spending.minor,
        counted=spending.counted,
    )


def _apply(
    posted: Posted, moved: Sequence[Moved], hold: Hold | None, books: Books, writes: Writes
) -> None:
    transaction, plan = posted
    for entry, (_, account) in zip(transaction.entries, moved, strict=True):
        account.balance_minor = entry.balance_after_minor
        account.held_minor = entry.held_after_minor
        account.last_transaction_id = transaction.transaction_id
        writes.accounts[account.account_id] = account
        if entry.lot_entries:
            _apply_to_lots(entry, account, transaction, writes)
    if hold is not None:
        books.holds[hold.booking_id] = writes.holds[hold.booking_id] = hold
    if plan.void_of:
        _apply_void(plan.void_of, books, writes)
    if transaction.counted and plan.kind != "COMMIT":
        for window in transaction.counted:
            minor = books.windows.get(window, 0) + (transaction.spent_minor or 0)
            books.windows[window] = writes.windows[window] = minor
    writes.posted.append(posted)


def _apply_void(void: VoidOf, books: Books, writes: Writes) -> None:
    original = books.facts.originals[void.transaction_id]
    voided_minor = books.voided.get(original.transaction_id, 0) + void_minor(void, books)
    books.voided[original.transaction_id] = voided_minor
    writes.voided[original.transaction_id] = original.amount_minor, voided_minor


def _apply_to_lots(
    entry: Entry, account: Account, transaction: Transaction, writes: Writes
) -> None:
    for lot_id, account_id, terms, amount_minor in transaction.opened_lots:
        if account_id == account.account_id:
            lot = Lot(lot_id, account_id, terms, amount_minor, 0, 0, transaction.transaction_id)
            account.lots[lot_id] = lot
    for lot_id, amount_minor, held_change_minor in entry.lot_entries:
        lot = account.lots[lot_id]
        lot.remaining_minor -= amount_minor
        lot.held_minor += held_change_minor
        lot.last_transaction_id = transaction.transaction_id
        writes.lots[lot_id] = lot
    account.open_lots = sum(lot.remaining_minor > 0 for lot in account.lots.values())
