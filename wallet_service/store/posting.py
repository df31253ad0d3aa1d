"""The statements of one batch: lock, load, append. All are set-based; none loops."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from wallet_service.chain import Head
from wallet_service.decide.model import Account, Hold, Holders, HoldPart, Lot, Outcome, Stored
from wallet_service.decide.plan import HOUSE, AccountKey, LotId, LotTerms
from wallet_service.errors import Refusal
from wallet_service.store.connections import Connection
from wallet_service.store.windows import windows_of

FIND_ACCOUNTS = """
SELECT a.wallet_id, a.account_type, a.asset_code, a.account_id
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[])
     AS wanted (wallet_id, account_type, asset_code, stripe)
JOIN accounts a USING (wallet_id, account_type, asset_code, stripe)
"""


async def find_accounts(
    conn: Connection, keys: Sequence[AccountKey], house_stripe: int
) -> dict[AccountKey, int]:
    """Answer the ids of the accounts that exist."""
    rows = await conn.fetch(FIND_ACCOUNTS, *_key_arrays(keys, house_stripe))
    return {AccountKey(*row[:3]): row[3] for row in rows}


LOCK_ACCOUNTS = """
SELECT account_id, balance_minor, held_minor, last_transaction_id, credit_limit_minor, open_lots,
       wallet_state
FROM accounts
WHERE account_id = ANY($1::bigint[])
ORDER BY account_id
FOR NO KEY UPDATE
"""


async def lock_accounts(
    conn: Connection, account_ids: Mapping[AccountKey, int]
) -> dict[AccountKey, Account]:
    """Lock accounts, in the order of their ids, and answer their state."""
    rows = await conn.fetch(LOCK_ACCOUNTS, list(account_ids.values()))
    accounts = {row[0]: Account(*row) for row in rows}
    return {key: accounts[account_id] for key, account_id in account_ids.items()}


CREATE_ACCOUNTS = """
WITH owners AS (
    SELECT w.wallet_id, w.state FROM wallets w
    WHERE w.wallet_id = ANY($1::bigint[])
    ORDER BY w.wallet_id
    FOR SHARE
)
INSERT INTO accounts (wallet_id, account_type, asset_code, stripe, wallet_state)
SELECT wallet_id, account_type, asset_code, stripe, coalesce(owners.state, 'ACTIVE')
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[])
     AS wanted (wallet_id, account_type, asset_code, stripe)
JOIN assets USING (asset_code)
LEFT JOIN owners USING (wallet_id)
WHERE wallet_id = 0 OR owners.wallet_id IS NOT NULL
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
SELECT batch.number, batch.now, batch.closed_until, batch.epoch,
       head.chain, head.last_transaction_id, head.hash,
       r.request_digest, r.body_digest, r.transaction_id, r.refusal
FROM (
    SELECT nextval('batch_numbers') AS number, clock_timestamp() AS now,
           (SELECT max(ends_at) FROM accounting_periods) AS closed_until,
           (SELECT epoch FROM directory_epoch) AS epoch
) AS batch
CROSS JOIN head
LEFT JOIN requests r ON r.request_digest = ANY($1::bytea[])
"""


@dataclass(frozen=True, slots=True)
class BatchStart:
    number: int
    now: datetime
    closed_until: datetime | None
    epoch: int
    """As of which the directory has to be."""
    head: Head
    outcomes: dict[bytes, Outcome]


async def start_batch(conn: Connection, digests: Sequence[bytes], chain: int) -> BatchStart:
    """Lock the batch's chain; answer its head, the time, and what the request ids came to before.

    Runs after the accounts are locked, in a snapshot of its own: whoever decided the same request
    id before, on the same accounts, or closed a period, has committed by then.
    """
    rows = await conn.fetch(START_BATCH, digests, chain)
    number, now, closed_until, epoch, *head = rows[0][:7]
    return BatchStart(
        number,
        now,
        closed_until,
        epoch,
        Head(*head),
        {row["request_digest"]: _outcome(row) for row in rows if row["request_digest"] is not None},
    )


def _outcome(row: asyncpg.Record) -> Outcome:
    if row["refusal"] is not None:
        verdict: Stored | Refusal = Refusal.from_json(row["refusal"])
    else:
        verdict = Stored(row["transaction_id"])
    return Outcome(row["body_digest"], verdict)


LOAD_HOLDERS = """
SELECT h.booking_id, h.wallet_id, a.wallet_id, a.account_type, a.asset_code
FROM holds h JOIN accounts a USING (account_id)
WHERE h.booking_id = ANY($1::bigint[])
ORDER BY h.booking_id, h.part_index
"""


async def load_holders(conn: Connection, booking_ids: Iterable[int]) -> dict[int, Holders]:
    """Read whose bookings they are and whose accounts hold their money, which never changes."""
    holders: dict[int, Holders] = {}
    for booking_id, wallet_id, *key in await conn.fetch(LOAD_HOLDERS, list(booking_ids)):
        before = holders[booking_id].accounts if booking_id in holders else ()
        holders[booking_id] = Holders(wallet_id, (*before, AccountKey(*key)))
    return holders


LOAD_HOLDS = """
SELECT h.booking_id, h.wallet_id, h.captured_quantity, h.expires_at, h.expired, t.counted,
       a.wallet_id, a.account_type, a.asset_code,
       h.account_id, h.amount_minor, h.captured_minor, h.released_minor
FROM holds h
JOIN accounts a USING (account_id)
JOIN transactions t ON t.transaction_id = h.booking_id
WHERE h.booking_id = ANY($1::bigint[])
ORDER BY h.booking_id, h.part_index
"""


async def load_holds(conn: Connection, booking_ids: Iterable[int]) -> dict[int, Hold]:
    """Read holds; their accounts' locks keep them still."""
    holds: dict[int, Hold] = {}
    for row in await conn.fetch(LOAD_HOLDS, list(booking_ids)):
        booking_id, wallet_id, captured_quantity, expires_at, expired, counted = row[:6]
        part = HoldPart(AccountKey(*row[6:9]), *row[9:])
        before = holds[booking_id].parts if booking_id in holds else ()
        holds[booking_id] = Hold(
            booking_id,
            wallet_id,
            (*before, part),
            captured_quantity,
            expires_at,
            expired,
            windows_of(counted),
        )
    return holds


LOAD_HELD_LOTS = """
SELECT t.booking_id, e.account_id, le.lot_transaction_id, le.lot_index,
       sum(le.held_change_minor)::bigint
FROM transactions t
JOIN lot_entries le USING (transaction_id)
JOIN entries e USING (transaction_id, leg_index)
WHERE t.booking_id = ANY($1::bigint[])
GROUP BY t.booking_id, e.account_id, le.lot_transaction_id, le.lot_index
"""


async def load_held_lots(conn: Connection, holds: dict[int, Hold]) -> dict[int, Hold]:
    """Add to holds how much of each part is on which lot."""
    lots: dict[tuple[int, int], dict[LotId, int]] = {}
    for booking_id, account_id, *lot_id, held_minor in await conn.fetch(
        LOAD_HELD_LOTS, list(holds)
    ):
        lots.setdefault((booking_id, account_id), {})[LotId(*lot_id)] = held_minor
    return {
        hold.booking_id: replace(
            hold,
            parts=tuple(
                replace(part, lots=lots.get((hold.booking_id, part.account_id), {}))
                for part in hold.parts
            ),
        )
        for hold in holds.values()
    }


LOAD_VOIDED = """
SELECT transaction_id, voided_minor FROM voids WHERE transaction_id = ANY($1::bigint[])
"""


async def load_voided(conn: Connection, transaction_ids: Iterable[int]) -> dict[int, int]:
    """Read how much was taken back of transactions; their accounts' locks keep that still."""
    return {row[0]: row[1] for row in await conn.fetch(LOAD_VOIDED, list(transaction_ids))}


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
