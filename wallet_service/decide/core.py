"""Decides plans, in order, against the books.

Each accepted plan changes the books in hand, so that the next one sees its effect; nothing else
is touched.

The rules of a plan, in order of precedence:

1. every asset is known                         ASSET_UNKNOWN
2. its request id is new, or has the same body  REQUEST_ID_REUSED
3. what it books expires later than now         EXPIRE_TIME_PAST
4. every wallet exists                          WALLET_NOT_FOUND
5. no wallet is closed                          WALLET_CLOSED
6. no frozen wallet is debited, or held from    WALLET_FROZEN
7. its booking is one of the wallet's           BOOKING_NOT_FOUND
8. the booking holds something                  BOOKING_CLOSED
9. it has not expired, if it is to be taken     BOOKING_EXPIRED
10. it holds enough                             BOOKING_EXCEEDED
11. what it voids is one of the wallet's        TRANSACTION_NOT_FOUND
12. that moved money, and is no void itself     TRANSACTION_NOT_VOIDABLE
13. nobody voided any of it meanwhile           VOID_STALE
14. enough of it is left                        VOID_EXCEEDED
15. no wallet's available funds sink below zero INSUFFICIENT_FUNDS
16. no balance passes 10^18                     BALANCE_LIMIT_EXCEEDED

A refusal by rule 1, 2, 3 or 13 leaves no outcome; any other is the request id's one outcome.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from wallet_service import ids
from wallet_service.decide.model import (
    MAX_BALANCE_MINOR,
    WALLET,
    Account,
    AccountKey,
    Books,
    CaptureHold,
    Entry,
    Hold,
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
    TRANSACTION_NOT_VOIDABLE,
    VOID_EXCEEDED,
    VOID_STALE,
    WALLET_FROZEN,
    Refusal,
    request_id_reused,
    transaction_not_found,
    wallet_closed,
    wallet_not_found,
)

NO_OUTCOME = frozenset({EXPIRE_TIME_PAST, VOID_STALE})
"""Refusals that the same request may outlive."""

VOIDABLE_KINDS = frozenset({"TOP_UP", "USAGE", "COMMIT", "TRANSFER"})


def decide(plans: Sequence[Plan], books: Books) -> tuple[list[Verdict], Writes]:
    """Give each plan its verdict, in order, and gather what is to be written."""
    writes = Writes()
    verdicts = []
    for position, plan in enumerate(plans):
        verdicts.append(_verdict(plan, books, writes, books.first_transaction_id + position))
    return verdicts, writes


def _verdict(plan: Plan, books: Books, writes: Writes, transaction_id: int) -> Verdict:
    if unknown := _unknown_asset(plan, books):
        return unknown
    if outcome := books.outcomes.get(plan.request_digest):
        same = outcome.body_digest == plan.body_digest
        return outcome.verdict if same else request_id_reused(plan.request_id)
    verdict = _refusal(plan, books) or _post(plan, books, writes, transaction_id)
    passing = isinstance(verdict, Refusal) and verdict.reason in NO_OUTCOME
    if not (plan.validate_only or passing):
        outcome = Outcome(plan.body_digest, verdict)
        books.outcomes[plan.request_digest] = writes.outcomes[plan.request_digest] = outcome
    return verdict


def _unknown_asset(plan: Plan, books: Books) -> Refusal | None:
    for key in plan.accounts():
        if key not in books.accounts and key.asset_code not in books.assets:
            return Refusal(
                ASSET_UNKNOWN,
                f"asset {key.asset_code} is not registered",
                {"asset_code": key.asset_code},
                field="amount.asset_code",
            )
    return None


def _refusal(plan: Plan, books: Books) -> Refusal | None:
    if isinstance(plan.hold, OpenHold) and _is_past(plan.hold.expires_at, books):
        return Refusal(EXPIRE_TIME_PAST, "must be to come", field="expire_time")
    for key in plan.accounts():
        if key not in books.accounts:
            return wallet_not_found(ids.wallet_text(key.wallet_id))
    return (
        _state_refusal(plan, books)
        or _hold_refusal(plan, books)
        or _void_refusal(plan, books)
        or _balance_refusal(plan, books)
    )


def _is_past(moment: datetime | None, books: Books) -> bool:
    return moment is not None and moment <= ids.recorded_at(books.first_transaction_id)


def _state_refusal(plan: Plan, books: Books) -> Refusal | None:
    if not books.states:
        return None
    states = {key: books.states.get(key.wallet_id) for key in plan.accounts()}
    for key, state in states.items():
        if state == "CLOSED":
            return wallet_closed(ids.wallet_text(key.wallet_id))
    debited = {leg.key for leg in plan.legs if leg.amount_minor > 0}
    if isinstance(plan.hold, OpenHold):
        debited.add(plan.hold.key)
    for key, state in states.items():
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


def _balance_refusal(plan: Plan, books: Books) -> Refusal | None:
    limit_refusal = None
    for key, amount_minor, held_change_minor in _movements(plan, books):
        account = books.accounts[key]
        spent_minor = amount_minor + held_change_minor
        if key.account_type == WALLET and 0 < spent_minor > account.available_minor:
            return _insufficient_funds(key, account, spent_minor)
        if abs(account.balance_minor + amount_minor) > MAX_BALANCE_MINOR:
            limit_refusal = limit_refusal or _balance_limit_exceeded(key)
    return limit_refusal


def _insufficient_funds(key: AccountKey, account: Account, needed_minor: int) -> Refusal:
    wallet = ids.wallet_text(key.wallet_id)
    return Refusal(
        INSUFFICIENT_FUNDS,
        f"{wallet} has {account.available_minor} {key.asset_code} available, "
        f"and {needed_minor} is needed (minor units)",
        {
            "wallet_id": wallet,
            "asset_code": key.asset_code,
            "available_minor": str(account.available_minor),
            "needed_minor": str(needed_minor),
        },
    )


def _balance_limit_exceeded(key: AccountKey) -> Refusal:
    return Refusal(
        BALANCE_LIMIT_EXCEEDED,
        f"a balance in {key.asset_code} would pass {MAX_BALANCE_MINOR} minor units",
        {"asset_code": key.asset_code, "limit_minor": str(MAX_BALANCE_MINOR)},
    )


def _movements(plan: Plan, books: Books) -> list[tuple[AccountKey, int, int]]:
    """Fold the legs and the hold into one movement for each account: amount, held change."""
    movements = {leg.key: (leg.amount_minor, 0) for leg in plan.legs}
    if plan.hold is not None:
        amount_minor, _ = movements.get(plan.hold.key, (0, 0))
        movements[plan.hold.key] = (amount_minor, _held_change_minor(plan.hold, books))
    return [(key, *change) for key, change in movements.items()]


def _held_change_minor(hold: OpenHold | CaptureHold | ReleaseHold, books: Books) -> int:
    if isinstance(hold, OpenHold):
        return hold.amount_minor
    if isinstance(hold, CaptureHold):
        return -hold.amount_minor
    return -books.holds[hold.booking_id].remaining_minor


def _post(plan: Plan, books: Books, writes: Writes, transaction_id: int) -> Posted:
    entries = tuple(
        _entry(books.accounts[key], key, amount_minor, held_change_minor)
        for key, amount_minor, held_change_minor in _movements(plan, books)
    )
    hold = _hold_after(plan, books, transaction_id)
    posted = Posted(_transaction(plan, transaction_id, entries, hold), plan)
    if not plan.validate_only:
        _apply(posted, hold, books, writes)
    return posted


def _entry(account: Account, key: AccountKey, amount_minor: int, held_change_minor: int) -> Entry:
    return Entry(
        key=key,
        account_id=account.account_id,
        amount_minor=amount_minor,
        held_change_minor=held_change_minor,
        balance_after_minor=account.balance_minor + amount_minor,
        held_after_minor=account.held_minor + held_change_minor,
        credit_limit_minor=account.credit_limit_minor,
    )


def _hold_after(plan: Plan, books: Books, transaction_id: int) -> Hold | None:
    wanted = plan.hold
    if wanted is None:
        return None
    if isinstance(wanted, OpenHold):
        account_id = books.accounts[wanted.key].account_id
        return Hold(transaction_id, account_id, wanted.amount_minor, 0, 0, wanted.expires_at)
    hold = books.holds[wanted.booking_id]
    if isinstance(wanted, CaptureHold):
        return replace(hold, captured_minor=hold.captured_minor + wanted.amount_minor)
    return replace(
        hold,
        released_minor=hold.released_minor + hold.remaining_minor,
        expired=plan.kind == "EXPIRATION",
    )


def _transaction(
    plan: Plan, transaction_id: int, entries: tuple[Entry, ...], hold: Hold | None
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
    )


def _apply(posted: Posted, hold: Hold | None, books: Books, writes: Writes) -> None:
    transaction_id = posted.transaction.transaction_id
    for entry in posted.transaction.entries:
        account = books.accounts[entry.key]
        account.balance_minor = entry.balance_after_minor
        account.held_minor = entry.held_after_minor
        account.last_transaction_id = transaction_id
        writes.accounts[account.account_id] = account
    if hold is not None:
        books.holds[hold.booking_id] = writes.holds[hold.booking_id] = hold
    if void := posted.plan.void_of:
        voided = books.voidables[void.transaction_id]
        voided = replace(voided, voided_minor=voided.voided_minor + void.amount_minor)
        books.voidables[void.transaction_id] = writes.voidables[void.transaction_id] = voided
    writes.posted.append(posted)
