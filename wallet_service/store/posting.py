"""The statements of one batch: lock, load, append. All are set-based; none loops."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from wallet_service.decide.model import (
    HOUSE,
    Account,
    AccountKey,
    Hold,
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
       a.credit_limit_minor
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


LOAD_OUTCOMES = """
SELECT batch.number, batch.now, r.request_digest, r.body_digest, r.transaction_id, r.refusal
FROM (SELECT nextval('batch_numbers') AS number, clock_timestamp() AS now) AS batch
LEFT JOIN requests r ON r.request_digest = ANY($1::bytea[])
"""


@dataclass(frozen=True, slots=True)
class BatchStart:
    number: int
    now: datetime
    outcomes: dict[bytes, Outcome]


async def load_outcomes(conn: Connection, digests: Sequence[bytes]) -> BatchStart:
    """Answer the batch's number and time, and what its request ids came to before.

    Runs after the locks are held, in a snapshot of its own: whoever decided the same request id
    before, on the same accounts, has committed by then.
    """
    rows = await conn.fetch(LOAD_OUTCOMES, digests)
    return BatchStart(
        number=rows[0][0],
        now=rows[0][1],
        outcomes={row[2]: _outcome(row) for row in rows if row[2] is not None},
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


LOAD_VOIDABLES = """
SELECT t.transaction_id, t.kind, e.account_id, e.amount_minor, coalesce(v.voided_minor, 0)
FROM transactions t
JOIN entries e USING (transaction_id)
JOIN accounts a ON a.account_id = e.account_id AND a.wallet_id = t.wallet_id
LEFT JOIN voids v USING (transaction_id)
WHERE t.transaction_id = ANY($1::bigint[])
"""


async def load_voidables(conn: Connection, transaction_ids: Iterable[int]) -> dict[int, Voidable]:
    """Read what was taken back of transactions; their wallets' account locks keep that still."""
    rows = await conn.fetch(LOAD_VOIDABLES, list(transaction_ids))
    return {row[0]: Voidable(*row) for row in rows}


APPEND = """
WITH new_requests AS (
    INSERT INTO requests
        (request_digest, body_digest, transaction_id, refusal, recorded_at)
    SELECT digest, body_digest, transaction_id, refusal::jsonb, $1
    FROM unnest($2::bytea[], $3::bytea[], $4::bigint[], $5::text[])
         AS t (digest, body_digest, transaction_id, refusal)
), new_transactions AS (
    INSERT INTO transactions
        (transaction_id, kind, wallet_id, booking_id, request_id, reference, metadata,
         price_book_version, charges, event, traceparent, effective_at, recorded_at,
         voids_transaction_id)
    SELECT transaction_id, kind, wallet_id, booking_id, request_id, reference,
           metadata::jsonb, price_book_version, charges::jsonb, event, traceparent,
           effective_at, $1, voids_transaction_id
    FROM unnest($6::bigint[], $7::text[], $8::bigint[], $9::bigint[], $10::text[], $11::text[],
                $12::text[], $13::text[], $14::text[], $15::bytea[], $16::text[],
                $17::timestamptz[], $18::bigint[])
         AS t (transaction_id, kind, wallet_id, booking_id, request_id, reference, metadata,
               price_book_version, charges, event, traceparent, effective_at,
               voids_transaction_id)
), new_outbox AS (
    INSERT INTO outbox (transaction_id, wallet_id)
    SELECT transaction_id, wallet_id
    FROM unnest($6::bigint[], $8::bigint[], $15::bytea[]) AS t (transaction_id, wallet_id, event)
    WHERE event IS NOT NULL
), new_entries AS (
    INSERT INTO entries
        (transaction_id, leg_index, account_id, asset_code, amount_minor, held_change_minor,
         balance_after_minor, held_after_minor, credit_limit_minor)
    SELECT * FROM unnest($19::bigint[], $20::smallint[], $21::bigint[], $22::text[],
                         $23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[],
                         $27::bigint[])
), moved_accounts AS (
    UPDATE accounts a
    SET balance_minor = t.balance_minor,
        held_minor = t.held_minor,
        last_transaction_id = t.last_transaction_id
    FROM unnest($28::bigint[], $29::bigint[], $30::bigint[], $31::bigint[])
         AS t (account_id, balance_minor, held_minor, last_transaction_id)
    WHERE a.account_id = t.account_id
), new_voids AS (
    INSERT INTO voids (transaction_id, amount_minor, voided_minor)
    SELECT * FROM unnest($39::bigint[], $40::bigint[], $41::bigint[])
    ON CONFLICT ON CONSTRAINT voids_pkey DO UPDATE SET voided_minor = excluded.voided_minor
)
INSERT INTO holds
    (booking_id, account_id, amount_minor, captured_minor, released_minor, expires_at, expired)
SELECT * FROM unnest($32::bigint[], $33::bigint[], $34::bigint[], $35::bigint[], $36::bigint[],
                     $37::timestamptz[], $38::boolean[])
ON CONFLICT ON CONSTRAINT holds_pkey DO UPDATE
    SET captured_minor = excluded.captured_minor,
        released_minor = excluded.released_minor,
        expired = excluded.expired
"""


async def append(conn: Connection, writes: Writes, now: datetime) -> None:
    """Append everything that a batch decided, in one statement.

    Raises the database's own error if a guard objects (which would be a fault of ours), or
    `asyncpg.UniqueViolationError` on `requests_pkey` if another batch decided one of the
    request ids meanwhile, on other accounts.
    """
    await conn.execute(
        APPEND,
        now,
        *_request_columns(writes),
        *_transaction_columns(writes.posted),
        *_entry_columns(writes.posted),
        *_account_columns(writes.accounts.values()),
        *_hold_columns(writes.holds.values()),
        *_void_columns(writes.voidables.values()),
    )


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


def _transaction_columns(posted: Iterable[Posted]) -> list[list[object]]:
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
        )
        for txn, plan in ((each.transaction, each.plan) for each in posted)
    ]
    return _columns(rows, 13)


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
        )
        for each in posted
        for leg_index, entry in enumerate(each.transaction.entries)
    ]
    return _columns(rows, 9)


def _account_columns(accounts: Iterable[Account]) -> list[list[object]]:
    rows = [
        (each.account_id, each.balance_minor, each.held_minor, each.last_transaction_id)
        for each in accounts
    ]
    return _columns(rows, 4)


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


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """Turn rows into the arrays that `unnest` takes, also where there are none."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
