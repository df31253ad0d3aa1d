"""Decides plans, in order, against the books.

Each accepted plan changes the books in hand, so that the next one sees its effect; nothing else
is touched.

The rules that a plan may break are `errors.POSTING_RULES`, tried in that order.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from wallet_service import ids
from wallet_service.decide.lots import (
    LotChanges,
    Movement,
    is_expired,
    lot_changes,
    spendable_minor,
)
from wallet_service.decide.model import (
    MAX_BALANCE_MINOR,
    MAX_OPEN_LOTS,
    WALLET,
    Account,
    AccountKey,
    Books,
    CaptureHold,
    Entry,
    Hold,
    Lot,
    LotEntry,
    OpenedLot,
    OpenHold,
    Outcome,
    Plan,
    Posted,
    ReleaseHold,
    Transaction,
    Verdict,
    Writes,
)
from wallet_service.errors import (
    ASSET_UNKNOWN,
    BALANCE_LIMIT_EXCEEDED,
    BOOKING_CLOSED,
    BOOKING_EXCEEDED,
    BOOKING_EXPIRED,
    BOOKING_NOT_FOUND,
    EXPIRE_TIME_PAST,
    INSUFFICIENT_FUNDS,
    LOT_LIMIT_EXCEEDED,
    LOT_STALE,
    NOT_KEPT,
    TRANSACTION_NOT_VOIDABLE,
    VOID_EXCEEDED,
    VOID_STALE,
    WALLET_FROZEN,
    Refusal,
    group_refused,
    period_closed,
    request_id_reused,
    transaction_not_found,
    wallet_closed,
    wallet_not_found,
)

VOIDABLE_KINDS = frozenset({"TOP_UP", "USAGE", "COMMIT", "TRANSFER"})


def decide(groups: Sequence[Sequence[Plan]], books: Books) -> tuple[list[list[Verdict]], Writes]:
    """Give each plan its verdict, group by group in order, and gather what is to be written.

    The plans of a group are accepted together or not at all; most groups have one.
    """
    writes = Writes()
    verdicts = []
    transaction_id = books.first_transaction_id
    for group in groups:
        decide_group = _decide_each if len(group) == 1 else _decide_together
        verdicts.append(decide_group(group, books, writes, transaction_id))
        transaction_id += len(group)
    return verdicts, writes


def _decide_each(
    group: Sequence[Plan], books: Books, writes: Writes, transaction_id: int
) -> list[Verdict]:
    return [_verdict(plan, books, writes, transaction_id + i) for i, plan in enumerate(group)]


def _decide_together(
    group: Sequence[Plan], books: Books, writes: Writes, transaction_id: int
) -> list[Verdict]:
    """Decide on a copy of the books, and take it over only if nothing was refused."""
    trial = books.copy({key for plan in group for key in plan.accounts})
    trial_writes = Writes()
    verdicts = _decide_each(group, trial, trial_writes, transaction_id)
    for plan, verdict in zip(group, verdicts, strict=True):
        if isinstance(verdict, Refusal):
            return _refuse_group(group, plan, verdict, books, writes)
    books.take_over(trial)
    writes.add(trial_writes)
    return verdicts


def _refuse_group(
    group: Sequence[Plan], culprit: Plan, refusal: Refusal, books: Books, writes: Writes
) -> list[Verdict]:
    others = group_refused(culprit.request_id, refusal)
    if refusal.reason not in NOT_KEPT:
        for plan in group:
            _keep(plan, refusal if plan is culprit else others, books, writes)
    return [refusal if plan is culprit else _kept(plan, books) or others for plan in group]


def _verdict(plan: Plan, books: Books, writes: Writes, transaction_id: int) -> Verdict:
    if kept := _kept(plan, books):
        return kept
    missing = [key for key in plan.accounts if key not in books.accounts]
    if missing and (unknown := _unknown_asset(missing, books)):
        return unknown
    if plan.request_digest in books.outcomes:
        return request_id_reused(plan.request_id)
    verdict = _refusal(plan, books, missing) or _movement_verdict(
        plan, books, writes, transaction_id
    )
    if not (isinstance(verdict, Refusal) and verdict.reason in NOT_KEPT):
        _keep(plan, verdict, books, writes)
    return verdict


def _movement_verdict(
    plan: Plan, books: Books, writes: Writes, transaction_id: int
) -> Posted | Refusal:
    """Decide a plan that breaks no rule but, perhaps, those on what the accounts come to."""
    movements = _movements(plan, books)
    return _balance_refusal(plan, movements, books) or _post(
        plan, movements, books, writes, transaction_id
    )


def _kept(plan: Plan, books: Books) -> Verdict | None:
    """Answer what the same plan came to before."""
    outcome = books.outcomes.get(plan.request_digest)
    if outcome is None or outcome.body_digest != plan.body_digest:
        return None
    return outcome.verdict


def _keep(plan: Plan, verdict: Verdict, books: Books, writes: Writes) -> None:
    """Make a verdict its request id's outcome, unless it has one or only asked for a trial."""
    if not plan.validate_only and plan.request_digest not in books.outcomes:
        outcome = Outcome(plan.body_digest, verdict)
        books.outcomes[plan.request_digest] = writes.outcomes[plan.request_digest] = outcome


def _unknown_asset(missing: Sequence[AccountKey], books: Books) -> Refusal | None:
    for key in missing:
        if key.asset_code not in books.assets:
            return Refusal(
                ASSET_UNKNOWN,
                f"asset {key.asset_code} is not registered",
                {"asset_code": key.asset_code},
                field="amount.asset_code",
            )
    return None


def _refusal(plan: Plan, books: Books, missing: Sequence[AccountKey]) -> Refusal | None:
    if isinstance(plan.hold, OpenHold) and _is_past(plan.hold.expires_at, books):
        return Refusal(EXPIRE_TIME_PAST, "must be to come", field="expire_time")
    if plan.lot and _is_past(plan.lot.expires_at, books):
        return Refusal(EXPIRE_TIME_PAST, "must be to come", field="lot.expire_time")
    if missing:
        return wallet_not_found(ids.wallet_text(missing[0].wallet_id))
    return (
        _period_refusal(plan, books)
        or _state_refusal(plan, books)
        or _hold_refusal(plan, books)
        or _void_refusal(plan, books)
        or _break_refusal(plan, books)
    )


def _period_refusal(plan: Plan, books: Books) -> Refusal | None:
    closed_until = books.closed_until
    if closed_until is None or (plan.effective_at or books.now) >= closed_until:
        return None
    return period_closed(closed_until)


def _is_past(moment: datetime | None, books: Books) -> bool:
    return moment is not None and moment <= books.now


def _state_refusal(plan: Plan, books: Books) -> Refusal | None:
    states = [books.accounts[key].wallet_state for key in plan.accounts]
    if states.count("ACTIVE") == len(states):
        return None
    for key, state in zip(plan.accounts, states, strict=True):
        if state == "CLOSED":
            return wallet_closed(ids.wallet_text(key.wallet_id))
    debited = {leg.key for leg in plan.legs if leg.amount_minor > 0 and not plan.break_lot}
    if isinstance(plan.hold, OpenHold):
        debited.add(plan.hold.key)
    for key, state in zip(plan.accounts, states, strict=True):
        if state == "FROZEN" and key in debited:
            wallet = ids.wallet_text(key.wallet_id)
            return Refusal(WALLET_FROZEN, f"wallet {wallet} is frozen", {"wallet_id": wallet})
    return None


def _hold_refusal(plan: Plan, books: Books) -> Refusal | None:
    wanted = plan.hold
    if wanted is None or isinstance(wanted, OpenHold):
        return None
    booking = ids.booking_text(wanted.booking_id)
    named = {"booking_id": booking}
    hold = books.holds.get(wanted.booking_id)
    if hold is None or hold.account_id != books.accounts[wanted.key].account_id:
        return Refusal(BOOKING_NOT_FOUND, f"booking {booking} does not exist", named)
    if not hold.remaining_minor:
        return Refusal(BOOKING_CLOSED, f"booking {booking} holds nothing more", named)
    if isinstance(wanted, CaptureHold) and _is_past(hold.expires_at, books):
        return Refusal(BOOKING_EXPIRED, f"booking {booking} has expired", named)
    if isinstance(wanted, CaptureHold) and wanted.amount_minor > hold.remaining_minor:
        return Refusal(
            BOOKING_EXCEEDED,
            f"booking {booking} holds {hold.remaining_minor}, not {wanted.amount_minor}",
            named
            | {
                "remaining_minor": str(hold.remaining_minor),
                "needed_minor": str(wanted.amount_minor),
            },
        )
    return None


def _void_refusal(plan: Plan, books: Books) -> Refusal | None:
    wanted = plan.void_of
    if wanted is None:
        return None
    name = ids.transaction_text(wanted.transaction_id)
    named = {"transaction_id": name}
    found = books.voidables.get(wanted.transaction_id)
    if found is None or found.account_id != books.accounts[wanted.key].account_id:
        return transaction_not_found(name)
    if found.kind not in VOIDABLE_KINDS:
        message = f"{name} is a {found.kind.lower()}, which cannot be voided"
        return Refusal(TRANSACTION_NOT_VOIDABLE, message, named)
    if found.voided_minor != wanted.voided_before_minor:
        return Refusal(VOID_STALE, f"{name} was voided in part meanwhile: read it again", named)
    if wanted.amount_minor > found.remaining_minor:
        return Refusal(
            VOID_EXCEEDED,
            f"of {name} {found.remaining_minor} is left to void, not {wanted.amount_minor}",
            named
            | {
                "remaining_minor": str(found.remaining_minor),
                "needed_minor": str(wanted.amount_minor),
            },
        )
    return None


def _break_refusal(plan: Plan, books: Books) -> Refusal | None:
    wanted = plan.break_lot
    if wanted is None:
        return None
    lot = books.accounts[wanted.key].lots.get(wanted.lot_id)
    if lot and is_expired(lot, books.now) and lot.free_minor == wanted.amount_minor:
        return None
    name = ids.lot_text(*wanted.lot_id)
    return Refusal(LOT_STALE, f"{name} is no longer as it was read", {"lot_id": name})


def _balance_refusal(plan: Plan, movements: Sequence[Movement], books: Books) -> Refusal | None:
    limit_refusal = None
    for key, amount_minor, held_change_minor in movements:
        account = books.accounts[key]
        spent_minor = amount_minor + held_change_minor
        if key.account_type == WALLET and spent_minor > 0:
            available_minor = _available_minor(plan, account, books)
            if spent_minor > available_minor:
                return _insufficient_funds(key, available_minor, spent_minor)
        if abs(account.balance_minor + amount_minor) > MAX_BALANCE_MINOR:
            limit_refusal = limit_refusal or _balance_limit_exceeded(key)
    return limit_refusal


def _available_minor(plan: Plan, account: Account, books: Books) -> int:
    """Answer what a plan may take: of expired lots nothing, but for the one that it breaks."""
    if not account.lots or plan.break_lot:
        return account.available_minor
    return spendable_minor(account, books.now)


def _insufficient_funds(key: AccountKey, available_minor: int, needed_minor: int) -> Refusal:
    wallet = ids.wallet_text(key.wallet_id)
    return Refusal(
        INSUFFICIENT_FUNDS,
        f"{wallet} has {available_minor} {key.asset_code} available, "
        f"and {needed_minor} is needed (minor units)",
        {
            "wallet_id": wallet,
            "asset_code": key.asset_code,
            "available_minor": str(available_minor),
            "needed_minor": str(needed_minor),
        },
    )


def _balance_limit_exceeded(key: AccountKey) -> Refusal:
    return Refusal(
        BALANCE_LIMIT_EXCEEDED,
        f"a balance in {key.asset_code} would pass {MAX_BALANCE_MINOR} minor units",
        {"asset_code": key.asset_code, "limit_minor": str(MAX_BALANCE_MINOR)},
    )


def _movements(plan: Plan, books: Books) -> list[Movement]:
    """Fold the legs and the hold into one movement for each account."""
    if plan.hold is None:
        return [Movement(key, amount_minor, 0) for key, amount_minor in plan.legs]
    amounts = dict(plan.legs)
    own = Movement(
        plan.hold.key, amounts.get(plan.hold.key, 0), _held_change_minor(plan.hold, books)
    )
    movements = [own if key == own.key else Movement(key, minor, 0) for key, minor in plan.legs]
    return movements if own in movements else [*movements, own]


def _held_change_minor(hold: OpenHold | CaptureHold | ReleaseHold, books: Books) -> int:
    if isinstance(hold, OpenHold):
        return hold.amount_minor
    if isinstance(hold, CaptureHold):
        return -hold.amount_minor
    return -books.holds[hold.booking_id].remaining_minor


def _post(
    plan: Plan,
    movements: Sequence[Movement],
    books: Books,
    writes: Writes,
    transaction_id: int,
) -> Posted | Refusal:
    on_lots = lot_changes(plan, movements, books, transaction_id)
    if refusal := _lot_limit_refusal(on_lots, books):
        return refusal
    entries = tuple([_entry(books.accounts[each.key], each, on_lots.entries) for each in movements])
    hold = _hold_after(plan, books, transaction_id, on_lots)
    transaction = _transaction(plan, transaction_id, entries, hold, on_lots.opened)
    posted = Posted(transaction, plan)
    if not plan.validate_only:
        _apply(posted, hold, books, writes)
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


def _entry(
    account: Account, movement: Movement, on_lots: Mapping[AccountKey, tuple[LotEntry, ...]]
) -> Entry:
    key, amount_minor, held_change_minor = movement
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


def _hold_after(plan: Plan, books: Books, transaction_id: int, on_lots: LotChanges) -> Hold | None:
    wanted = plan.hold
    if wanted is None:
        return None
    if isinstance(wanted, OpenHold):
        account_id = books.accounts[wanted.key].account_id
        hold = Hold(transaction_id, account_id, wanted.amount_minor, 0, 0, wanted.expires_at)
    else:
        hold = books.holds[wanted.booking_id]
    if isinstance(wanted, CaptureHold):
        hold = replace(hold, captured_minor=hold.captured_minor + wanted.amount_minor)
    if isinstance(wanted, ReleaseHold):
        hold = replace(
            hold,
            released_minor=hold.released_minor + hold.remaining_minor,
            expired=plan.kind == "EXPIRATION",
        )
    if changed := on_lots.entries.get(wanted.key):
        held = Counter(hold.lots)
        held.update({each.lot_id: each.held_change_minor for each in changed})
        hold = replace(hold, lots=dict(held))
    return hold


def _transaction(
    plan: Plan,
    transaction_id: int,
    entries: tuple[Entry, ...],
    hold: Hold | None,
    opened_lots: tuple[OpenedLot, ...],
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
        expires_at=hold.expires_at if hold else None,
        voids_transaction_id=plan.void_of.transaction_id if plan.void_of else None,
        exchange_rate_json=plan.exchange_rate_json,
        opened_lots=opened_lots,
    )


def _apply(posted: Posted, hold: Hold | None, books: Books, writes: Writes) -> None:
    transaction_id = posted.transaction.transaction_id
    for entry in posted.transaction.entries:
        account = books.accounts[entry.key]
        account.balance_minor = entry.balance_after_minor
        account.held_minor = entry.held_after_minor
        account.last_transaction_id = transaction_id
        writes.accounts[account.account_id] = account
        if entry.lot_entries:
            _apply_to_lots(entry, account, posted.transaction, writes)
    if hold is not None:
        books.holds[hold.booking_id] = writes.holds[hold.booking_id] = hold
    if void := posted.plan.void_of:
        voided = books.voidables[void.transaction_id]
        voided = replace(voided, voided_minor=voided.voided_minor + void.amount_minor)
        books.voidables[void.transaction_id] = writes.voidables[void.transaction_id] = voided
    writes.posted.append(posted)


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
