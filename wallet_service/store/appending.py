"""The writes of one batch. Most rows go in by COPY, which costs the least, on both sides."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from wallet_service.chain import Content, Head, links
from wallet_service.decide.model import Account, Hold, Lot, Posted, Writes
from wallet_service.errors import Refusal
from wallet_service.store.connections import Connection
from wallet_service.store.windows import counted_json, put_windows

Rows = Sequence[tuple[object, ...]]

# fmt: off
TRANSACTIONS = [
    "transaction_id", "kind", "wallet_id", "booking_id", "request_id", "reference", "metadata",
    "price_book_version", "charges", "event", "traceparent", "effective_at", "recorded_at",
    "voids_transaction_id", "exchange_rate", "spent_minor", "counted", "paid_by_others",
    "chain", "hash",
]
ENTRIES = [
    "transaction_id", "leg_index", "account_id", "asset_code", "amount_minor", "held_change_minor",
    "balance_after_minor", "held_after_minor", "credit_limit_minor", "effective_at",
]
LOT_ENTRIES = [
    "transaction_id", "leg_index", "draw_index", "lot_transaction_id", "lot_index", "amount_minor",
    "held_change_minor",
]
# fmt: on


async def append(conn: Connection, writes: Writes, now: datetime, head: Head) -> None:
    """Write everything that a batch decided; `head` is the last link of its chain so far.

    Raises the database's own error if a guard objects (which would be a fault of ours), or
    `asyncpg.UniqueViolationError` on `requests_pkey` if another batch decided one of the
    request ids meanwhile, on other accounts.
    """
    hashes = links(head.hash, map(_content, writes.posted))
    await _copy(
        conn, "transactions", TRANSACTIONS, _transaction_rows(writes.posted, head.chain, hashes)
    )
    await _copy(conn, "entries", ENTRIES, _entry_rows(writes.posted))
    if writes.lots:
        await _copy(conn, "lot_entries", LOT_ENTRIES, _lot_entry_rows(writes.posted))
    await _settle(conn, writes, now, _moved(head, writes, hashes))
    await _put(conn, PUT_HOLDS, _hold_rows(writes.holds.values()))
    await _put(conn, PUT_VOIDS, _void_rows(writes.voided))
    await _put(conn, PUT_LOTS, _lot_rows(writes.lots.values()))
    if writes.windows:
        await put_windows(conn, writes.windows)


def _moved(head: Head, writes: Writes, hashes: Sequence[bytes]) -> Head:
    """Answer the chain's last link after the batch."""
    if not hashes:
        return head
    return Head(head.chain, writes.posted[-1].transaction.transaction_id, hashes[-1])


async def _copy(conn: Connection, table: str, columns: Sequence[str], rows: Rows) -> None:
    if rows:
        await conn.copy_records_to_table(table, records=rows, columns=columns)


async def _put(conn: Connection, statement: str, rows: Rows) -> None:
    """Run a statement on rows, given as the arrays of their columns."""
    if rows:
        await conn.execute(statement, *zip(*rows, strict=True))


# What is small goes in one call: a call costs as much as dozens of such rows.
SETTLE = """
WITH decided AS (
    INSERT INTO requests (request_digest, body_digest, transaction_id, refusal, recorded_at)
    SELECT *, $5::timestamptz FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::jsonb[])
), to_publish AS (
    INSERT INTO outbox (transaction_id, wallet_id)
    SELECT * FROM unnest($6::bigint[], $7::bigint[])
), moved_head AS (
    UPDATE chains SET last_transaction_id = $9, hash = $10 WHERE chain = $8
)
UPDATE accounts a
SET balance_minor = t.balance_minor,
    held_minor = t.held_minor,
    last_transaction_id = t.last_transaction_id,
    open_lots = t.open_lots
FROM unnest($11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::integer[])
     AS t (account_id, balance_minor, held_minor, last_transaction_id, open_lots)
WHERE a.account_id = t.account_id
"""


async def _settle(conn: Connection, writes: Writes, now: datetime, head: Head) -> None:
    """Write the outcomes, what is to be published, the chain's head and the balances."""
    await conn.execute(
        SETTLE,
        *_columns(_request_rows(writes), 4),
        now,
        *_columns(_outbox_rows(writes.posted), 2),
        head.chain,
        head.last_transaction_id,
        head.hash,
        *_columns(_account_rows(writes.accounts.values()), 5),
    )


def _columns(rows: Rows, count: int) -> Iterable[Sequence[object]]:
    return zip(*rows, strict=True) if rows else [()] * count


PUT_HOLDS = """
INSERT INTO holds
    (booking_id, part_index, wallet_id, account_id, amount_minor, captured_minor, released_minor,
     captured_quantity, expires_at, expired)
SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[],
                     $6::bigint[], $7::bigint[], $8::bigint[], $9::timestamptz[], $10::boolean[])
ON CONFLICT ON CONSTRAINT holds_pkey DO UPDATE
    SET captured_minor = excluded.captured_minor,
        released_minor = excluded.released_minor,
        captured_quantity = excluded.captured_quantity,
        expired = excluded.expired
"""

PUT_VOIDS = """
INSERT INTO voids (transaction_id, amount_minor, voided_minor)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
ON CONFLICT ON CONSTRAINT voids_pkey DO UPDATE SET voided_minor = excluded.voided_minor
"""

PUT_LOTS = """
INSERT INTO lots
    (transaction_id, lot_index, account_id, kind, priority, expires_at, amount_minor,
     remaining_minor, held_minor, last_transaction_id)
SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::text[], $5::smallint[],
                     $6::timestamptz[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
ON CONFLICT ON CONSTRAINT lots_pkey DO UPDATE
    SET remaining_minor = excluded.remaining_minor,
        held_minor = excluded.held_minor,
        last_transaction_id = excluded.last_transaction_id
"""


def _content(posted: Posted) -> Content:
    return Content(posted.transaction, posted.plan.event, posted.plan.traceparent)


def _request_rows(writes: Writes) -> Rows:
    return [
        (
            digest,
            body_digest,
            verdict.transaction.transaction_id if isinstance(verdict, Posted) else None,
            verdict.to_json() if isinstance(verdict, Refusal) else None,
        )
        for digest, (body_digest, verdict) in writes.outcomes.items()
    ]


def _transaction_rows(posted: Iterable[Posted], chain: int, hashes: Iterable[bytes]) -> Rows:
    return [
        (
            txn.transaction_id,
            txn.kind,
            txn.wallet_id,
            txn.booking_id,
            txn.request_id,
            txn.reference,
            txn.metadata_json,
            txn.price_book_version,
            txn.charges_json,
            plan.event,
            plan.traceparent,
            txn.effective_at,
            txn.recorded_at,
            txn.voids_transaction_id,
            txn.exchange_rate_json or None,
            txn.spent_minor,
            counted_json(txn.counted) or None,
            txn.paid_by_others,
            chain,
            hash_,
        )
        for (txn, plan), hash_ in zip(posted, hashes, strict=True)
    ]


def _entry_rows(posted: Iterable[Posted]) -> Rows:
    return [
        (
            txn.transaction_id,
            leg_index,
            entry.account_id,
            entry.key.asset_code,
            entry.amount_minor,
            entry.held_change_minor,
            entry.balance_after_minor,
            entry.held_after_minor,
            entry.credit_limit_minor,
            shifted_at,
        )
        for txn, _ in posted
        for shifted_at in (txn.shifted_at,)
        for leg_index, entry in enumerate(txn.entries)
    ]


def _lot_entry_rows(posted: Iterable[Posted]) -> Rows:
    return [
        (
            txn.transaction_id,
            leg_index,
            draw_index,
            *draw.lot_id,
            draw.amount_minor,
            draw.held_change_minor,
        )
        for txn, _ in posted
        for leg_index, entry in enumerate(txn.entries)
        for draw_index, draw in enumerate(entry.lot_entries)
    ]


def _outbox_rows(posted: Iterable[Posted]) -> Rows:
    return [(txn.transaction_id, txn.wallet_id) for txn, plan in posted if plan.event is not None]


def _account_rows(accounts: Iterable[Account]) -> Rows:
    return [
        (
            each.account_id,
            each.balance_minor,
            each.held_minor,
            each.last_transaction_id,
            each.open_lots,
        )
        for each in accounts
    ]


def _hold_rows(holds: Iterable[Hold]) -> Rows:
    return [
        (
            hold.booking_id,
            part_index,
            hold.wallet_id,
            part.account_id,
            part.amount_minor,
            part.captured_minor,
            part.released_minor,
            hold.captured_quantity,
            hold.expires_at,
            hold.expired,
        )
        for hold in holds
        for part_index, part in enumerate(hold.parts)
    ]


def _void_rows(voided: Mapping[int, tuple[int, int]]) -> Rows:
    return [(transaction_id, *minor) for transaction_id, minor in voided.items()]


def _lot_rows(lots: Iterable[Lot]) -> Rows:
    return [
        (
            *each.lot_id,
            each.account_id,
            *each.terms,
            each.amount_minor,
            each.remaining_minor,
            each.held_minor,
            each.last_transaction_id,
        )
        for each in lots
    ]
