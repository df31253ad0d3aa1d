"""Plans for tests of the ledger's core, as short as the tests need them."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.idempotency import digest
from wallet_service.decide.core import decide
from wallet_service.decide.model import (
    HOUSE,
    WALLET,
    Account,
    AccountKey,
    Books,
    BreakLot,
    CaptureHold,
    Leg,
    LotId,
    OpenHold,
    Plan,
    Posted,
    ReleaseHold,
    Verdict,
    Voidable,
    VoidOf,
    Writes,
)

FUNDING = AccountKey(HOUSE, "FUNDING", "IDR")
REVENUE = AccountKey(HOUSE, "REVENUE", "IDR")
BREAKAGE = AccountKey(HOUSE, "BREAKAGE", "IDR")

_numbers = itertools.count(1)


def wallet(number: int, asset_code: str = "IDR") -> AccountKey:
    return AccountKey(number, WALLET, asset_code)


def plan(
    kind: str,
    wallet_id: int,
    *legs: Leg,
    hold: OpenHold | CaptureHold | ReleaseHold | None = None,
    request_id: str = "",
) -> Plan:
    name = request_id or f"request-{next(_numbers)}"
    return Plan(
        request_id=name,
        request_digest=digest(name.encode()),
        body_digest=digest(repr((kind, wallet_id, legs, hold)).encode()),
        kind=kind,
        wallet_id=wallet_id,
        legs=legs,
        hold=hold,
        effective_at=None,
        reference="",
        metadata_json="{}",
        price_book_version="",
        charges_json="[]",
        event=b"event" if legs else None,
        traceparent="",
        validate_only=False,
    )


def top_up(wallet_id: int, minor: int, request_id: str = "") -> Plan:
    legs = Leg(FUNDING, minor), Leg(wallet(wallet_id), -minor)
    return plan("TOP_UP", wallet_id, *legs, request_id=request_id)


def usage(wallet_id: int, minor: int, request_id: str = "") -> Plan:
    legs = Leg(wallet(wallet_id), minor), Leg(REVENUE, -minor)
    return plan("USAGE", wallet_id, *legs, request_id=request_id)


def transfer(source: int, target: int, minor: int) -> Plan:
    return plan("TRANSFER", source, Leg(wallet(source), minor), Leg(wallet(target), -minor))


def booking(wallet_id: int, minor: int, expires_at: datetime | None = None) -> Plan:
    return plan("BOOKING", wallet_id, hold=OpenHold(wallet(wallet_id), minor, expires_at))


def commit(wallet_id: int, booking_id: int, minor: int) -> Plan:
    hold = CaptureHold(wallet(wallet_id), booking_id, minor)
    return replace(usage(wallet_id, minor), kind="COMMIT", hold=hold)


def cancellation(wallet_id: int, booking_id: int) -> Plan:
    return plan("CANCELLATION", wallet_id, hold=ReleaseHold(wallet(wallet_id), booking_id))


def void(wallet_id: int, transaction_id: int, minor: int, before_minor: int = 0) -> Plan:
    """Take a top-up back."""
    legs = Leg(FUNDING, -minor), Leg(wallet(wallet_id), minor)
    void_of = VoidOf(wallet(wallet_id), transaction_id, minor, before_minor)
    return replace(plan("VOID", wallet_id, *legs), void_of=void_of)


def void_usage(wallet_id: int, transaction_id: int, minor: int, before_minor: int = 0) -> Plan:
    """Take a usage back."""
    legs = Leg(wallet(wallet_id), -minor), Leg(REVENUE, minor)
    void_of = VoidOf(wallet(wallet_id), transaction_id, minor, before_minor)
    return replace(plan("VOID", wallet_id, *legs), void_of=void_of)


def void_transfer(
    source: int, target: int, transaction_id: int, minor: int, before_minor: int = 0
) -> Plan:
    """Take a transfer back."""
    legs = Leg(wallet(source), -minor), Leg(wallet(target), minor)
    void_of = VoidOf(wallet(source), transaction_id, minor, before_minor)
    return replace(plan("VOID", source, *legs), void_of=void_of)


def breakage(wallet_id: int, lot_transaction_id: int, minor: int) -> Plan:
    """Break the first lot that a transaction added."""
    key = wallet(wallet_id)
    broken = BreakLot(key, LotId(lot_transaction_id, 0), minor)
    legs = Leg(key, minor), Leg(BREAKAGE, -minor)
    return replace(plan("BREAKAGE", wallet_id, *legs), break_lot=broken)


def decide_each(each: Sequence[Plan], books: Books) -> tuple[list[Verdict], Writes]:
    """Decide plans that have nothing to do with one another."""
    verdicts, writes = decide([[plan] for plan in each], books)
    return [verdict for (verdict,) in verdicts], writes


def make_voidable(books: Books, verdict: Verdict) -> None:
    """Load what was posted as the store would, where a later batch may void it."""
    if isinstance(verdict, Posted):
        txn = verdict.transaction
        own = next(entry for entry in txn.entries if entry.key.wallet_id == txn.wallet_id)
        books.voidables[txn.transaction_id] = Voidable(
            txn.transaction_id,
            txn.kind,
            own.account_id,
            txn.amount_minor,
            0,
            own.lot_entries,
        )


def books(*wallet_ids: int, first_transaction_id: int = 1) -> Books:
    """Empty books of some wallets in IDR, and of the house."""
    keys = [FUNDING, REVENUE, BREAKAGE, *map(wallet, wallet_ids)]
    return Books(
        accounts={key: Account(number, 0, 0, 0) for number, key in enumerate(keys, 1)},
        holds={},
        voidables={},
        outcomes={},
        assets=frozenset({"IDR"}),
        first_transaction_id=first_transaction_id,
    )
