"""Fills a ledger with millions of entries, quickly: whole books, that a verification passes.

Wallets stand in a ring and pass one minor unit on, each to the next, round after round. So every
balance after every entry is known beforehand, and all end where they began. The rows are from
before the hash chains.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import asyncpg

from shared.idempotency import digest
from wallet_service import ids

FUNDS_MINOR = 10_000_000_000_000
PER_MILLISECOND = 1000
"""Transactions that share a millisecond: fewer than the 1,024 positions of a batch."""

WALLETS = """
INSERT INTO wallets (wallet_type, display_name)
SELECT 'PERSONAL', 'bench' FROM generate_series(1, $1)
"""

WALLET_IDS = "SELECT wallet_id FROM wallets ORDER BY wallet_id"

ACCOUNTS = """
INSERT INTO accounts (wallet_id, account_type, asset_code, stripe, balance_minor)
SELECT 0, 'FUNDING', 'IDR', 0, $1::bigint * (SELECT count(*) FROM wallets)
UNION ALL
SELECT wallet_id, 'WALLET', 'IDR', 0, -$1::bigint FROM wallets ORDER BY 1
"""

# Wallet n of the ring (from 0) has the account n + 2, since the house's is the first. Transaction t
# of the ring follows the top-ups, one for each wallet.
TRANSACTIONS = """
INSERT INTO transactions
    (transaction_id, kind, wallet_id, request_id, reference, metadata, price_book_version, charges,
     traceparent, effective_at, recorded_at)
SELECT id, kind, wallet_id, 'load ' || t, '', '{}', '', '[]', '', at, at
FROM (
    SELECT t,
           $1::bigint + (t / $2 << 22) + t % $2 AS id,
           CASE WHEN t < $3 THEN 'TOP_UP' ELSE 'TRANSFER' END AS kind,
           $4::bigint + t % $3 AS wallet_id,
           $5::timestamptz + t / $2 * interval '1 ms' AS at
    FROM generate_series(0, $6::bigint - 1) AS t
) AS made
"""

ENTRIES = """
INSERT INTO entries
    (transaction_id, leg_index, account_id, asset_code, amount_minor, held_change_minor,
     balance_after_minor, held_after_minor)
SELECT $1::bigint + (t / $2 << 22) + t % $2, leg.leg_index, leg.account_id, 'IDR',
       leg.amount_minor, 0, leg.balance_after_minor, 0
FROM generate_series(0, $4::bigint - 1) AS t
CROSS JOIN LATERAL (
    SELECT 0 AS leg_index, 1 AS account_id, $5::bigint AS amount_minor,
           $5 * (t + 1) AS balance_after_minor
    WHERE t < $3
    UNION ALL
    SELECT 1, t % $3 + 2, -$5, -$5 WHERE t < $3
    UNION ALL
    SELECT 0, t % $3 + 2, 1, -$5 + CASE WHEN t % $3 = 0 THEN 1 ELSE 0 END WHERE t >= $3
    UNION ALL
    SELECT 1, (t + 1) % $3 + 2, -1, -$5 - CASE WHEN (t + 1) % $3 = 0 THEN 0 ELSE 1 END
    WHERE t >= $3
) AS leg
"""

LAST_IDS = """
UPDATE accounts a SET last_transaction_id = last.transaction_id
FROM (SELECT account_id, max(transaction_id) AS transaction_id FROM entries GROUP BY 1) AS last
WHERE last.account_id = a.account_id
"""


async def load(url: str, wallets: int, entries: int) -> list[int]:
    """Fill an empty ledger with about so many entries; answer the wallets' ids."""
    conn = await asyncpg.connect(url)
    try:
        # Nothing here needs a guard: each row is made so that it holds.
        await conn.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        await conn.execute(WALLETS, wallets)
        await conn.execute(ACCOUNTS, FUNDS_MINOR)
        wallet_ids = [
            row[0] for row in await conn.fetch("SELECT wallet_id FROM wallets ORDER BY 1")
        ]
        # Whole rounds of the ring, so that all balances are as they were.
        count = max(entries // 2 // wallets, 1) * wallets
        start = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        first_id = ids.first_id_from(start)
        shape = first_id, PER_MILLISECOND, wallets
        await conn.execute(TRANSACTIONS, *shape, wallet_ids[0], start, count)
        await conn.execute(ENTRIES, *shape, count, FUNDS_MINOR)
        await conn.execute(LAST_IDS)
        await conn.copy_records_to_table(
            "requests",
            records=_requests(first_id, start, count),
            columns=["request_digest", "body_digest", "transaction_id", "recorded_at"],
        )
        await conn.execute("VACUUM ANALYZE")
        return wallet_ids
    finally:
        await conn.close()


def _requests(
    first_id: int, recorded_at: datetime, count: int
) -> Iterator[tuple[bytes, bytes, int, datetime]]:
    for t in range(count):
        transaction_id = first_id + (t // PER_MILLISECOND << ids.TIME_SHIFT) + t % PER_MILLISECOND
        name = digest(f"load {t}".encode())
        yield name, name, transaction_id, recorded_at
