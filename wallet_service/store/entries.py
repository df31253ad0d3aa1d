"""Reads of a wallet's entries and lots, as its holder sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import asyncpg

from wallet_service import ids
from wallet_service.decide.model import Lot, LotEntry
from wallet_service.decide.plan import WALLET, LotId, LotTerms
from wallet_service.store.connections import Connection
from wallet_service.store.reading import load_lot_entries

FIRST_ID, LAST_ID = 0, ids.LAST_ID
"""Smaller, and greater, than any transaction id."""


@dataclass(frozen=True, slots=True)
class WalletEntry:
    """An entry of a wallet as its holder reads it."""

    transaction_id: int
    leg_index: int
    asset_code: str
    amount_minor: int
    held_change_minor: int
    posted_after_minor: int
    held_after_minor: int
    kind: str
    reference: str
    metadata_json: str
    recorded_at: datetime
    effective_at: datetime
    lot_entries: tuple[LotEntry, ...]


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries are wanted; what is empty leaves all. Ids are from (inclusive), to (not)."""

    wallet_id: int
    asset_code: str = ""
    first_id: int = FIRST_ID
    end_id: int = LAST_ID
    kind: str = ""
    reference: str = ""
    metadata_json: str = "{}"


_COLUMNS = """
e.transaction_id, e.leg_index, e.asset_code, e.amount_minor, e.held_change_minor,
-e.balance_after_minor, e.held_after_minor, t.kind, t.reference, t.metadata, t.recorded_at,
t.effective_at
"""

# A page is looked for in each account by itself: so an index gives the page's rows, in order, and
# no more, however many entries the account or the ledger has. A transaction has at most one entry
# of an account. Rows compared as such would go by the primary key, over all accounts' entries.
LIST_ENTRIES = f"""
SELECT found.*
FROM accounts a
CROSS JOIN LATERAL (
    SELECT {_COLUMNS}
    FROM entries e JOIN transactions t USING (transaction_id)
    WHERE e.account_id = a.account_id
      AND e.transaction_id >= $4 AND e.transaction_id < $5
      AND ($6 = '' OR t.kind = $6)
      AND ($7 = '' OR t.reference = $7)
      AND ($8 = '{{}}' OR t.metadata @> $8::text::jsonb)
      AND e.transaction_id <= $9 AND (e.transaction_id < $9 OR e.leg_index < $10)
    ORDER BY e.transaction_id DESC
    LIMIT $11
) AS found
WHERE a.wallet_id = $1 AND a.account_type = $2 AND ($3 = '' OR a.asset_code = $3)
ORDER BY found.transaction_id DESC, found.leg_index DESC
LIMIT $11
"""  # noqa: S608 (the columns are a constant)


async def list_entries(
    conn: Connection, wanted: EntryFilter, before: tuple[int, int], limit: int
) -> list[WalletEntry]:
    """Read entries below `before` (transaction id, leg index), newest first."""
    rows = await conn.fetch(
        LIST_ENTRIES,
        wanted.wallet_id,
        WALLET,
        wanted.asset_code,
        wanted.first_id,
        wanted.end_id,
        wanted.kind,
        wanted.reference,
        wanted.metadata_json,
        *before,
        limit,
    )
    return await _with_lot_entries(conn, rows)


class Place(NamedTuple):
    """Where an entry stands in a statement: after all that are smaller.

    Of entries that count at the same time those come first that were written then.
    """

    effective_at: datetime
    shifted: bool
    transaction_id: int
    leg_index: int


def place_of(entry: WalletEntry) -> Place:
    shifted = entry.effective_at != ids.recorded_at(entry.transaction_id)
    return Place(entry.effective_at, shifted, entry.transaction_id, entry.leg_index)


LIST_STATEMENT_BY_RECORD_TIME = f"""
SELECT {_COLUMNS}
FROM accounts a
CROSS JOIN LATERAL (
    SELECT *
    FROM entries
    WHERE account_id = a.account_id AND transaction_id >= $4 AND transaction_id < $5
      AND transaction_id >= $6 AND (transaction_id > $6 OR leg_index > $7)
    ORDER BY transaction_id
    LIMIT $8
) AS e
JOIN transactions t USING (transaction_id)
WHERE a.wallet_id = $1 AND a.account_type = $2 AND a.asset_code = $3
ORDER BY e.transaction_id, e.leg_index
LIMIT $8
"""  # noqa: S608 (the columns are a constant)

LIST_STATEMENT_BY_EFFECTIVE_TIME = f"""
SELECT {_COLUMNS}
FROM accounts a
CROSS JOIN LATERAL (
    (
        SELECT *
        FROM entries
        WHERE account_id = a.account_id
          AND effective_at IS NULL AND transaction_id >= $4 AND transaction_id < $5
          AND transaction_id >= $6 AND (transaction_id > $6 OR leg_index > $7)
        ORDER BY transaction_id
        LIMIT $8
    )
    UNION ALL
    (
        SELECT *
        FROM entries
        WHERE account_id = a.account_id
          AND effective_at >= $9 AND effective_at < $10
          AND (effective_at, transaction_id, leg_index) > ($11, $12, $13)
        ORDER BY effective_at, transaction_id
        LIMIT $8
    )
) AS e
JOIN transactions t USING (transaction_id)
WHERE a.wallet_id = $1 AND a.account_type = $2 AND a.asset_code = $3
ORDER BY t.effective_at, e.effective_at IS NOT NULL, e.transaction_id, e.leg_index
LIMIT $8
"""  # noqa: S608 (the columns are a constant)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a statement is about: one asset of one wallet, from a time (inclusive) to another."""

    wallet_id: int
    asset_code: str
    start: datetime
    end: datetime
    by_effective_time: bool


async def list_statement(
    conn: Connection, wanted: Stretch, after: Place | None, limit: int
) -> list[WalletEntry]:
    """Read the entries of a stretch after a place, oldest first by the time that counts."""
    account = wanted.wallet_id, WALLET, wanted.asset_code
    bounds = ids.first_id_from(wanted.start), ids.first_id_from(wanted.end)
    if not wanted.by_effective_time:
        last = (after.transaction_id, after.leg_index) if after else (FIRST_ID, 0)
        rows = await conn.fetch(LIST_STATEMENT_BY_RECORD_TIME, *account, *bounds, *last, limit)
    else:
        rows = await conn.fetch(
            LIST_STATEMENT_BY_EFFECTIVE_TIME,
            *account,
            *bounds,
            *_last_written_then(after),
            limit,
            wanted.start,
            wanted.end,
            *_last_shifted(after, wanted.start),
        )
    return await _with_lot_entries(conn, rows)


def _last_written_then(after: Place | None) -> tuple[int, int]:
    """Answer the place among entries that count when they were written."""
    if after is None:
        return FIRST_ID, 0
    if after.shifted:
        # All that were written at that very time come before it.
        return ids.first_id_after(after.effective_at) - 1, 0
    return after.transaction_id, after.leg_index


def _last_shifted(after: Place | None, start: datetime) -> tuple[datetime, int, int]:
    """Answer the place among entries that count at another time than they were written."""
    if after is None:
        return start, FIRST_ID, -1
    if after.shifted:
        return after.effective_at, after.transaction_id, after.leg_index
    return after.effective_at, FIRST_ID, -1


async def _with_lot_entries(conn: Connection, rows: Sequence[asyncpg.Record]) -> list[WalletEntry]:
    draws = await load_lot_entries(conn, [row[0] for row in rows])
    return [WalletEntry(*(*row, tuple(draws.get((row[0], row[1]), ())))) for row in rows]


class WalletLot(NamedTuple):
    asset_code: str
    lot: Lot


LIST_LOTS = """
SELECT a.asset_code, l.transaction_id, l.lot_index, l.account_id, l.kind, l.priority, l.expires_at,
       l.amount_minor, l.remaining_minor, l.held_minor, l.last_transaction_id
FROM accounts a JOIN lots l USING (account_id)
WHERE a.wallet_id = $1 AND a.account_type = $2 AND ($3 = '' OR a.asset_code = $3)
  AND l.remaining_minor > 0
ORDER BY a.asset_code, l.priority, l.expires_at NULLS LAST, l.transaction_id, l.lot_index
"""


async def list_lots(conn: Connection, wallet_id: int, asset_code: str) -> list[WalletLot]:
    """Read the lots that still hold something, in the order in which they are drawn."""
    rows = await conn.fetch(LIST_LOTS, wallet_id, WALLET, asset_code)
    return [
        WalletLot(row[0], Lot(LotId(row[1], row[2]), row[3], LotTerms(*row[4:7]), *row[7:]))
        for row in rows
    ]
