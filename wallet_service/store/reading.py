"""Reads of transactions, with all that belongs to them. They see what has committed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import asyncpg

from wallet_service.decide.model import Entry, LotEntry, OpenedLot, Transaction
from wallet_service.decide.plan import AccountKey, LotId, LotTerms
from wallet_service.store.connections import Connection
from wallet_service.store.windows import windows_of

_TRANSACTION_COLUMNS = """
t.transaction_id, t.kind, t.wallet_id, t.booking_id, t.request_id, t.reference, t.metadata,
t.price_book_version, t.charges, t.recorded_at, t.effective_at,
h.amount_minor, h.captured_minor, h.released_minor, h.captured_quantity, h.expires_at, h.expired,
t.spent_minor, t.counted, t.voids_transaction_id, coalesce(v.voided_minor, 0) AS voided_minor,
coalesce(t.exchange_rate::text, '') AS exchange_rate
"""

_HOLDS = """
LEFT JOIN LATERAL (
    SELECT sum(amount_minor)::bigint AS amount_minor, sum(captured_minor)::bigint AS captured_minor,
           sum(released_minor)::bigint AS released_minor,
           max(captured_quantity) AS captured_quantity, max(expires_at) AS expires_at,
           bool_or(expired) AS expired
    FROM holds WHERE booking_id = t.transaction_id
) AS h ON t.booking_id = t.transaction_id
"""

LOAD_TRANSACTIONS = f"""
SELECT {_TRANSACTION_COLUMNS}
FROM transactions t
{_HOLDS}
LEFT JOIN voids v ON v.transaction_id = t.transaction_id
WHERE t.transaction_id = ANY($1::bigint[])
"""  # noqa: S608 (the columns are a constant)


async def load_transactions(
    conn: Connection, transaction_ids: Sequence[int]
) -> dict[int, Transaction]:
    """Read transactions with their entries; a booking says what it holds now."""
    rows = await conn.fetch(LOAD_TRANSACTIONS, transaction_ids)
    return await _with_entries(conn, rows)


LIST_TRANSACTIONS = f"""
SELECT {_TRANSACTION_COLUMNS}
FROM (
    SELECT DISTINCT asked.transaction_id
    FROM accounts a
    CROSS JOIN LATERAL (
        SELECT t.transaction_id
        FROM entries e JOIN transactions t USING (transaction_id)
        WHERE e.account_id = a.account_id AND e.transaction_id < $2 AND t.wallet_id = $1
        ORDER BY e.transaction_id DESC
        LIMIT $3
    ) AS asked
    WHERE a.wallet_id = $1
    UNION
    (
        SELECT t.transaction_id FROM transactions t
        WHERE t.paid_by_others AND t.wallet_id = $1 AND t.transaction_id < $2
        ORDER BY t.transaction_id DESC
        LIMIT $3
    )
) AS asked
JOIN transactions t USING (transaction_id)
{_HOLDS}
LEFT JOIN voids v ON v.transaction_id = t.transaction_id
ORDER BY t.transaction_id DESC
LIMIT $3
"""  # noqa: S608 (the columns are a constant)

LIST_BOOKING = f"""
SELECT {_TRANSACTION_COLUMNS}
FROM transactions t
{_HOLDS}
LEFT JOIN voids v ON v.transaction_id = t.transaction_id
WHERE t.wallet_id = $1 AND t.transaction_id < $2 AND t.booking_id = $4
ORDER BY t.transaction_id DESC
LIMIT $3
"""  # noqa: S608 (the columns are a constant)


async def list_transactions(
    conn: Connection, wallet_id: int, before: int, booking_id: int | None, limit: int
) -> list[Transaction]:
    """Read the transactions asked of a wallet, or of one booking, below the id `before`.

    Newest first. Each has an entry on one of the wallet's accounts, by which it is found, or was
    paid by others.
    """
    if booking_id is None:
        rows = await conn.fetch(LIST_TRANSACTIONS, wallet_id, before, limit)
    else:
        rows = await conn.fetch(LIST_BOOKING, wallet_id, before, limit, booking_id)
    return list((await _with_entries(conn, rows)).values())


LOAD_ENTRIES = """
SELECT e.transaction_id, a.wallet_id, a.account_type, a.asset_code, e.account_id,
       e.amount_minor, e.held_change_minor, e.balance_after_minor, e.held_after_minor,
       e.credit_limit_minor
FROM entries e JOIN accounts a USING (account_id)
WHERE e.transaction_id = ANY($1::bigint[])
ORDER BY e.transaction_id, e.leg_index
"""


LOAD_LOT_ENTRIES = """
SELECT transaction_id, leg_index, lot_transaction_id, lot_index, amount_minor, held_change_minor
FROM lot_entries
WHERE transaction_id = ANY($1::bigint[])
ORDER BY transaction_id, leg_index, draw_index
"""


async def load_lot_entries(
    conn: Connection, transaction_ids: Sequence[int]
) -> dict[tuple[int, int], list[LotEntry]]:
    """Read how much of each entry (transaction id, leg index) was on which lots."""
    draws: dict[tuple[int, int], list[LotEntry]] = defaultdict(list)
    for row in await conn.fetch(LOAD_LOT_ENTRIES, transaction_ids):
        draws[row[0], row[1]].append(LotEntry(LotId(row[2], row[3]), row[4], row[5]))
    return draws


LOAD_OPENED_LOTS = """
SELECT transaction_id, lot_index, account_id, kind, priority, expires_at, amount_minor
FROM lots
WHERE transaction_id = ANY($1::bigint[])
ORDER BY transaction_id, lot_index
"""


async def _load_opened_lots(
    conn: Connection, transaction_ids: Sequence[int]
) -> dict[int, list[OpenedLot]]:
    opened: dict[int, list[OpenedLot]] = defaultdict(list)
    for row in await conn.fetch(LOAD_OPENED_LOTS, transaction_ids):
        lot = OpenedLot(LotId(row[0], row[1]), row[2], LotTerms(*row[3:6]), row[6])
        opened[row[0]].append(lot)
    return opened


async def _with_entries(conn: Connection, rows: Sequence[asyncpg.Record]) -> dict[int, Transaction]:
    ids = [row["transaction_id"] for row in rows]
    draws = await load_lot_entries(conn, ids)
    opened = await _load_opened_lots(conn, ids) if draws else {}
    entries: dict[int, list[Entry]] = {each: [] for each in ids}
    for row in await conn.fetch(LOAD_ENTRIES, ids):
        legs = entries[row[0]]
        legs.append(
            Entry(*(AccountKey(*row[1:4]), *row[4:], tuple(draws.get((row[0], len(legs)), ()))))
        )
    return {each["transaction_id"]: _transaction(each, entries, opened) for each in rows}


def _transaction(
    row: asyncpg.Record,
    entries: Mapping[int, Sequence[Entry]],
    opened: Mapping[int, Sequence[OpenedLot]],
) -> Transaction:
    held = row["amount_minor"] is not None
    return Transaction(
        transaction_id=row["transaction_id"],
        kind=row["kind"],
        wallet_id=row["wallet_id"],
        booking_id=row["booking_id"],
        request_id=row["request_id"],
        reference=row["reference"],
        metadata_json=row["metadata"],
        price_book_version=row["price_book_version"],
        charges_json=row["charges"],
        recorded_at=row["recorded_at"],
        effective_at=row["effective_at"],
        entries=tuple(entries[row["transaction_id"]]),
        held_remaining_minor=(
            row["amount_minor"] - row["captured_minor"] - row["released_minor"] if held else 0
        ),
        captured_minor=row["captured_minor"] if held else 0,
        captured_quantity=row["captured_quantity"] if held else 0,
        spent_minor=row["spent_minor"],
        counted=windows_of(row["counted"]),
        voids_transaction_id=row["voids_transaction_id"],
        voided_minor=row["voided_minor"],
        expires_at=row["expires_at"],
        expired=bool(row["expired"]),
        exchange_rate_json=row["exchange_rate"],
        opened_lots=tuple(opened.get(row["transaction_id"], ())),
    )
