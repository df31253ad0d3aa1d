"""The statements of one batch: lock, load, append. All are set-based; none loops."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from wallet_service.chain import Content, Head, links
from wallet_service.decide.model import (
    HOUSE,
    Account,
    AccountKey,
    Hold,
    Lot,
    LotEntry,
    LotId,
    LotTerms,
    Outcome,
    Posted,
    Stored,
    Voidable,
    Writes,
)
from wallet_service.errors import Refusal
from wallet_service.store.connections import Connection

LOCK_ACCOUNTS = """
SELECT a.wallet_id, a.account_type, a.asset_code,
       a.account_id, a.balance_minor, a.held_minor, a.last_transaction_id,
       a.credit_limit_minor, a.open_lots
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[])
     AS wanted (wallet_id, account_type, asset_code, stripe)
JOIN accounts a USING (wallet_id, account_type, asset_code, stripe)
ORDER BY a.account_id
FOR NO KEY UPDATE OF a
"""


async def lock_accounts(
    conn: Connection, keys: Sequence[AccountKey], house_stripe: int
) -> dict[AccountKey, Account]:
    """Lock the accounts that exist, in the order of their ids, and answer their state."""
    rows = await conn.fetch(LOCK_ACCOUNTS, *_key_arrays(keys, house_stripe))
    return {AccountKey(row[0], row[1], row[2]): Account(*row[3:]) for row in rows}


CREATE_ACCOUNTS = """
WITH owners AS (
    SELECT w.wallet_id FROM wallets w
    WHERE w.wallet_id = ANY($1::bigint[])
    ORDER BY w.wallet_id
    FOR SHARE
)
INSERT INTO accounts (wallet_id, account_type, asset_code, stripe)
SELECT wallet_id, account_type, asset_code, stripe
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[])
     AS wanted (wallet_id, account_type, asset_code, stripe)
JOIN assets USING (asset_code)
WHERE wallet_id = 0 OR wallet_id IN (SELECT owners.wallet_id FROM owners)
ORDER BY wallet_id, account_type, asset_code, stripe
ON CONFLICT ON CONSTRAINT accounts_key DO NOTHING
"""


async def create_accounts(conn: Connection, keys: Sequence[AccountKey], house_stripe: int) -> None:
    """Make the accounts that may exist: of a known asset, and of the house or a known wallet.

    The wallets' own locks keep this apart from a closing, which looks at every account: it has
    either seen the new one, or is seen by whoever posts to it.
    """
    await conn.execute(CREATE_ACCOUNTS, *_key_arrays(keys, house_stripe))


def _key_arrays(
    keys: Sequence[AccountKey], house_stripe: int
) -> tuple[list[int], list[str], list[str], list[int]]:
    wallet_ids, account_types, asset_codes = [], [], []
    stripes = []
    for wallet_id, account_type, asset_code in keys:
        wallet_ids.append(wallet_id)
        account_types.append(account_type)
        asset_codes.append(asset_code)
        stripes.append(house_stripe if wallet_id == HOUSE else 0)
    return wallet_ids, account_types, asset_codes, stripes


LOAD_ASSETS = "SELECT asset_code FROM assets"


async def load_assets(conn: Connection) -> frozenset[str]:
    return frozenset(row[0] for row in await conn.fetch(LOAD_ASSETS))


START_BATCH = """
WITH head AS (
    SELECT chain, last_transaction_id, hash FROM chains WHERE chain = $2 FOR NO KEY UPDATE
)
SELECT batch.number, batch.now, batch.closed_until, head.chain, head.last_transaction_id, head.hash,
       r.request_digest, r.body_digest, r.transaction_id, r.refusal
FROM (
    SELECT nextval('batch_numbers') AS number, clock_timestamp() AS now,
           (SELECT max(ends_at) FROM accounting_periods) AS closed_until
) AS batch
CROSS JOIN head
LEFT JOIN requests r ON r.request_digest = ANY($1::bytea[])
"""


@dataclass(frozen=True, slots=True)
class BatchStart:
    number: int
    now: datetime
    closed_until: datetime | None
    head: Head
    outcomes: dict[bytes, Outcome]


async def start_batch(conn: Connection, digests: Sequence[bytes], chain: int) -> BatchStart:
    """Lock the batch's chain; answer its head, the time, and what the request ids came to before.

    Runs after the accounts are locked, in a snapshot of its own: whoever decided the same request
    id before, on the same accounts, or closed a period, has committed by then.
    """
    rows = await conn.fetch(START_BATCH, digests, chain)
    number, now, closed_until, *head = rows[0][:6]
    return BatchStart(
        number,
        now,
        closed_until,
        Head(*head),
        {row["request_digest"]: _outcome(row) for row in rows if row["request_digest"] is not None},
    )


def _outcome(row: asyncpg.Record) -> Outcome:
    if row["refusal"] is not None:
        verdict: Stored | Refusal = Refusal.from_json(row["refusal"])
    else:
        verdict = Stored(row["transaction_id"])
    return Outcome(row["body_digest"], verdict)


LOAD_STATES = """
SELECT wallet_id, state FROM wallets WHERE wallet_id = ANY($1::bigint[]) AND state <> 'ACTIVE'
"""


async def load_states(conn: Connection, wallet_ids: Iterable[int]) -> dict[int, str]:
    """Name the wallets that are not active. Who changes that holds their accounts' locks."""
    rows = await conn.fetch(LOAD_STATES, list(wallet_ids))
    return {row[0]: row[1] for row in rows}


LOAD_HOLDS = """
SELECT booking_id, account_id, amount_minor, captured_minor, released_minor, expires_at, expired
FROM holds WHERE booking_id = ANY($1::bigint[])
"""


async def load_holds(conn: Connection, booking_ids: Iterable[int]) -> dict[int, Hold]:
    """Read holds; their accounts' locks keep them still."""
    rows = await conn.fetch(LOAD_HOLDS, list(booking_ids))
    return {row[0]: Hold(*row) for row in rows}


LOAD_HELD_LOTS = """
SELECT t.booking_id, le.lot_transaction_id, le.lot_index, sum(le.held_change_minor)::bigint
FROM transactions t JOIN lot_entries le USING (transaction_id)
WHERE t.booking_id = ANY($1::bigint[])
GROUP BY t.booking_id, le.lot_transaction_id, le.lot_index
"""


async def load_held_lots(conn: Connection, holds: dict[int, Hold]) -> dict[int, Hold]:
    """Add to holds how much of each is on which lot."""
    lots: dict[int, dict[LotId, int]] = {booking_id: {} for booking_id in holds}
    for booking_id, *lot_id, held_minor in await conn.fetch(LOAD_HELD_LOTS, list(holds)):
        lots[booking_id][LotId(*lot_id)] = held_minor
    return {booking_id: replace(hold, lots=lots[booking_id]) for booking_id, hold in holds.items()}


LOAD_VOIDABLES = """
SELECT t.transaction_id, t.kind, e.account_id, e.amount_minor, coalesce(v.voided_minor, 0)
FROM transactions t
JOIN entries e USING (transaction_id)
JOIN accounts a ON a.account_id = e.account_id AND a.wallet_id = t.wallet_id
LEFT JOIN voids v USING (transaction_id)
WHERE t.transaction_id = ANY($1::bigint[])
"""

LOAD_DRAWS = """
SELECT le.transaction_id, e.account_id, le.lot_transaction_id, le.lot_index,
       le.amount_minor, le.held_change_minor
FROM lot_entries le JOIN entries e USING (transaction_id, leg_index)
WHERE le.transaction_id = ANY($1::bigint[])
ORDER BY le.transaction_id, le.leg_index, le.draw_index
"""


async def load_voidables(conn: Connection, transaction_ids: Iterable[int]) -> dict[int, Voidable]:
    """Read what was taken back of transactions; their wallets' account locks keep that still."""
    wanted = list(transaction_ids)
    found = {row[0]: Voidable(*row) for row in await conn.fetch(LOAD_VOIDABLES, wanted)}
    draws: dict[int, list[LotEntry]] = {each: [] for each in found}
    for transaction_id, account_id, *lot_id, amount, held in await conn.fetch(LOAD_DRAWS, wanted):
        if transaction_id in found and found[transaction_id].account_id == account_id:
            draws[transaction_id].append(LotEntry(LotId(*lot_id), amount, held))
    return {
        each: replace(voidable, lot_entries=tuple(draws[each])) for each, voidable in found.items()
    }


LOAD_LOTS = """
SELECT transaction_id, lot_index, account_id, kind, priority, expires_at, amount_minor,
       remaining_minor, held_minor, last_transaction_id
FROM lots WHERE account_id = ANY($1::bigint[]) AND remaining_minor > 0
UNION
SELECT transaction_id, lot_index, account_id, kind, priority, expires_at, amount_minor,
       remaining_minor, held_minor, last_transaction_id
FROM lots JOIN unnest($2::bigint[], $3::smallint[]) AS drawn (transaction_id, lot_index)
    USING (transaction_id, lot_index)
"""


async def load_lots(
    conn: Connection, account_ids: Sequence[int], drawn: Sequence[LotId]
) -> list[Lot]:
    """Read the open lots of accounts, and those that were drawn on; the accounts are locked."""
    rows = await conn.fetch(
        LOAD_LOTS,
        account_ids,
        [each.transaction_id for each in drawn],
        [each.lot_index for each in drawn],
    )
    return [Lot(LotId(*row[:2]), row[2], LotTerms(*row[3:6]), *row[6:]) for row in rows]


APPEND = """
WITH new_requests AS (
    INSERT INTO requests
        (request_digest, body_digest, transaction_id, refusal, recorded_at)
    SELECT digest, body_digest, transaction_id, refusal::jsonb, $1
    FROM unnest($4::bytea[], $5::bytea[], $6::bigint[], $7::text[])
         AS t (digest, body_digest, transaction_id, refusal)
), new_transactions AS (
    INSERT INTO transactions
        (transaction_id, kind, wallet_id, booking_id, request_id, reference, metadata,
         price_book_version, charges, event, traceparent, effective_at, recorded_at,
         voids_transaction_id, exchange_rate, chain, hash)
    SELECT transaction_id, kind, wallet_id, booking_id, request_id, reference,
           metadata::jsonb, price_book_version, charges::jsonb, event, traceparent,
           effective_at, $1, voids_transaction_id, exchange_rate::jsonb, $2, hash
    FROM unnest($8::bigint[], $9::text[], $10::bigint[], $11::bigint[], $12::text[], $13::text[],
                $14::text[], $15::text[], $16::text[], $17::bytea[], $18::text[],
                $19::timestamptz[], $20::bigint[], $21::text[], $22::bytea[])
         AS t (transaction_id, kind, wallet_id, booking_id, request_id, reference, metadata,
               price_book_version, charges, event, traceparent, effective_at,
               voids_transaction_id, exchange_rate, hash)
), new_head AS (
    UPDATE chains SET last_transaction_id = t.last_transaction_id, hash = t.hash
    FROM unnest($8::bigint[], $22::bytea[]) AS t (last_transaction_id, hash)
    WHERE chain = $2 AND t.last_transaction_id = $3
), new_outbox AS (
    INSERT INTO outbox (transaction_id, wallet_id)
    SELECT transaction_id, wallet_id
    FROM unnest($8::bigint[], $10::bigint[], $17::bytea[]) AS t (transaction_id, wallet_id, event)
    WHERE event IS NOT NULL
), new_entries AS (
    INSERT INTO entries
        (transaction_id, leg_index, account_id, asset_code, amount_minor, held_change_minor,
         balance_after_minor, held_after_minor, credit_limit_minor, effective_at)
    SELECT * FROM unnest($23::bigint[], $24::smallint[], $25::bigint[], $26::text[],
                         $27::bigint[], $28::bigint[], $29::bigint[], $30::bigint[],
                         $31::bigint[], $32::timestamptz[])
), moved_accounts AS (
    UPDATE accounts a
    SET balance_minor = t.balance_minor,
        held_minor = t.held_minor,
        last_transaction_id = t.last_transaction_id,
        open_lots = t.open_lots
    FROM unnest($33::bigint[], $34::bigint[], $35::bigint[], $36::bigint[], $37::integer[])
         AS t (account_id, balance_minor, held_minor, last_transaction_id, open_lots)
    WHERE a.account_id = t.account_id
), new_voids AS (
    INSERT INTO voids (transaction_id, amount_minor, voided_minor)
    SELECT * FROM unnest($38::bigint[], $39::bigint[], $40::bigint[])
    ON CONFLICT ON CONSTRAINT voids_pkey DO UPDATE SET voided_minor = excluded.voided_minor
), new_lots AS (
    INSERT INTO lots
        (transaction_id, lot_index, account_id, kind, priority, expires_at, amount_minor,
         remaining_minor, held_minor, last_transaction_id)
    SELECT * FROM unnest($41::bigint[], $42::smallint[], $43::bigint[], $44::text[],
                         $45::smallint[], $46::timestamptz[], $47::bigint[], $48::bigint[],
                         $49::bigint[], $50::bigint[])
    ON CONFLICT ON CONSTRAINT lots_pkey DO UPDATE
        SET remaining_minor = excluded.remaining_minor,
            held_minor = excluded.held_minor,
            last_transaction_id = excluded.last_transaction_id
), new_lot_entries AS (
    INSERT INTO lot_entries
        (transaction_id, leg_index, draw_index, lot_transaction_id, lot_index, amount_minor,
         held_change_minor)
    SELECT * FROM unnest($51::bigint[], $52::smallint[], $53::smallint[], $54::bigint[],
                         $55::smallint[], $56::bigint[], $57::bigint[])
)
INSERT INTO holds
    (booking_id, account_id, amount_minor, captured_minor, released_minor, expires_at, expired)
SELECT * FROM unnest($58::bigint[], $59::bigint[], $60::bigint[], $61::bigint[], $62::bigint[],
                     $63::timestamptz[], $64::boolean[])
ON CONFLICT ON CONSTRAINT holds_pkey DO UPDATE
    SET captured_minor = excluded.captured_minor,
        released_minor = excluded.released_minor,
        expired = excluded.expired
"""


async def append(conn: Connection, writes: Writes, now: datetime, head: Head) -> None:
    """Append everything that a batch decided, in one statement; `head` is the chain's last link.

    Raises the database's own error if a guard objects (which would be a fault of ours), or
    `asyncpg.UniqueViolationError` on `requests_pkey` if another batch decided one of the
    request ids meanwhile, on other accounts.
    """
    hashes = links(head.hash, map(_content, writes.posted))
    last = writes.posted[-1].transaction.transaction_id if writes.posted else None
    await conn.execute(
        APPEND,
        now,
        head.chain,
        last,
        *_request_columns(writes),
        *_transaction_columns(writes.posted, hashes),
        *_entry_columns(writes.posted),
        *_account_columns(writes.accounts.values()),
        *_void_columns(writes.voidables.values()),
        *_lot_columns(writes.lots.values()),
        *_lot_entry_columns(writes.posted),
        *_hold_columns(writes.holds.values()),
    )


def _content(posted: Posted) -> Content:
    return Content(posted.transaction, posted.plan.event, posted.plan.traceparent)


def _request_columns(writes: Writes) -> list[list[object]]:
    rows = [
        (
            digest,
            outcome.body_digest,
            outcome.verdict.transaction.transaction_id
            if isinstance(outcome.verdict, Posted)
            else None,
            outcome.verdict.to_json() if isinstance(outcome.verdict, Refusal) else None,
        )
        for digest, outcome in writes.outcomes.items()
    ]
    return _columns(rows, 4)


def _transaction_columns(posted: Sequence[Posted], hashes: Sequence[bytes]) -> list[list[object]]:
    rows = [
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
            txn.voids_transaction_id,
            txn.exchange_rate_json or None,
            hash_,
        )
        for (txn, plan), hash_ in zip(
            ((each.transaction, each.plan) for each in posted), hashes, strict=True
        )
    ]
    return _columns(rows, 15)


def _entry_columns(posted: Iterable[Posted]) -> list[list[object]]:
    rows = [
        (
            each.transaction.transaction_id,
            leg_index,
            entry.account_id,
            entry.key.asset_code,
            entry.amount_minor,
            entry.held_change_minor,
            entry.balance_after_minor,
            entry.held_after_minor,
            entry.credit_limit_minor,
            each.transaction.shifted_at,
        )
        for each in posted
        for leg_index, entry in enumerate(each.transaction.entries)
    ]
    return _columns(rows, 10)


def _account_columns(accounts: Iterable[Account]) -> list[list[object]]:
    rows = [
        (
            each.account_id,
            each.balance_minor,
            each.held_minor,
            each.last_transaction_id,
            each.open_lots,
        )
        for each in accounts
    ]
    return _columns(rows, 5)


def _hold_columns(holds: Iterable[Hold]) -> list[list[object]]:
    rows = [
        (
            each.booking_id,
            each.account_id,
            each.amount_minor,
            each.captured_minor,
            each.released_minor,
            each.expires_at,
            each.expired,
        )
        for each in holds
    ]
    return _columns(rows, 7)


def _void_columns(voidables: Iterable[Voidable]) -> list[list[object]]:
    rows = [(each.transaction_id, abs(each.amount_minor), each.voided_minor) for each in voidables]
    return _columns(rows, 3)


def _lot_columns(lots: Iterable[Lot]) -> list[list[object]]:
    rows = [
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
    return _columns(rows, 10)


def _lot_entry_columns(posted: Iterable[Posted]) -> list[list[object]]:
    rows = [
        (
            each.transaction.transaction_id,
            leg_index,
            draw_index,
            *draw.lot_id,
            draw.amount_minor,
            draw.held_change_minor,
        )
        for each in posted
        for leg_index, entry in enumerate(each.transaction.entries)
        for draw_index, draw in enumerate(entry.lot_entries)
    ]
    return _columns(rows, 7)


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """Turn rows into the arrays that `unnest` takes, also where there are none."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
