"""Ids: bigints in the books, prefixed text for callers.

A transaction id holds the time of writing, so that ids sort by time, months are ranges of ids,
and an id names its partition: milliseconds since 2024-01-01 UTC above 22 lower bits, which are
12 bits of a batch number and 10 bits of the position in the batch. They last until 2093.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
TIME_SHIFT = 22
BATCH_SHIFT = 10
BATCH_MASK = 0xFFF
MAX_BATCH = 1 << BATCH_SHIFT
MAX_DIGITS = 19

LAST_ID = (1 << 63) - 1
"""Greater than any transaction id."""

MAX_INDEX_DIGITS = 4

LotNumber: TypeAlias = tuple[int, int]

NEVER_ASSIGNED = -1
"""What a malformed id is read as: it is well formed for the books, and names nothing."""


def first_transaction_id(now: datetime, batch_number: int, after: int) -> int:
    """Answer the id of a batch's first transaction; the next ones follow it by one.

    It is greater than `after`, the last id on any account of the batch, so that ids on an
    account always grow, even where the clock was set back.
    """
    milliseconds = max((now - EPOCH) // timedelta(milliseconds=1), (after >> TIME_SHIFT) + 1)
    return milliseconds << TIME_SHIFT | (batch_number & BATCH_MASK) << BATCH_SHIFT


def recorded_at(transaction_id: int) -> datetime:
    return _moment(transaction_id >> TIME_SHIFT)


@lru_cache(maxsize=1024)
def _moment(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)


def first_id_from(moment: datetime) -> int:
    """Answer the id below which lies everything written before `moment`, and nothing later.

    A time at which nothing can be written, before 2024 or after 2093, has the nearest id.
    """
    first_id = -((EPOCH - moment) // timedelta(milliseconds=1)) << TIME_SHIFT
    return min(max(first_id, 0), LAST_ID)


def first_id_after(moment: datetime) -> int:
    """Answer the id below which lies everything written up to `moment`, and nothing later."""
    return first_id_from(instant_after(moment))


def instant_after(moment: datetime) -> datetime:
    """Answer the next time that can be told from `moment`; the last one has none after it."""
    last = datetime.max.replace(tzinfo=UTC)
    return min(moment, last - timedelta(microseconds=1)) + timedelta(microseconds=1)


def wallet_text(wallet_id: int) -> str:
    return "(malformed)" if wallet_id == NEVER_ASSIGNED else f"wal_{wallet_id}"


def transaction_text(transaction_id: int) -> str:
    return f"txn_{transaction_id}"


def booking_text(booking_id: int) -> str:
    return "(malformed)" if booking_id == NEVER_ASSIGNED else f"bkg_{booking_id}"


def lot_text(transaction_id: int, lot_index: int) -> str:
    return f"lot_{transaction_id}_{lot_index}"


def wallet_number(text: str) -> int:
    return _number(text, ("wal_",))


def booking_number(text: str) -> int:
    return _number(text, ("bkg_",))


def transaction_number(text: str) -> int:
    """Read a transaction's id, or a booking's: it is that of the transaction that opened it."""
    return _number(text, ("txn_", "bkg_"))


def lot_number(text: str) -> LotNumber:
    """Read a lot's id: the transaction that added it, and a number."""
    first, _, index = text.removeprefix("lot_").rpartition("_")
    is_lot = text.startswith("lot_") and index.isascii() and index.isdigit()
    if not is_lot or len(index) > MAX_INDEX_DIGITS:
        return NEVER_ASSIGNED, 0
    return _number(f"txn_{first}", ("txn_",)), int(index)


def _number(text: str, prefixes: tuple[str, ...]) -> int:
    """Read the number of an id; `NEVER_ASSIGNED` if it is malformed."""
    digits = text[4:]
    if not text.startswith(prefixes) or not digits.isascii() or not digits.isdigit():
        return NEVER_ASSIGNED
    number = int(digits) if len(digits) <= MAX_DIGITS else NEVER_ASSIGNED
    return number if number <= LAST_ID else NEVER_ASSIGNED
