"""Reads of transactions, entries and balances. They see what has committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from wallet_service.decide.model import WALLET, AccountKey, Entry, Transaction
from wallet_service.store.connections import Connection

_TRANSACTION_COLUMNS = """
t.transaction_id, t.kind, t.wallet_id, t.booking_id, t.request_id, t.reference, t.metadata,
t.price_book_version, t.charges, t.recorded_at, t.effective_at,
h.amount_minor, h.captured_minor, h.released_minor, h.expires_at, h.expired,
t.voids_transaction_id, coalesce(v.voided_minor, 0) AS voided_minor
"""

LOAD_TRANSACTIONS = f"""
SELECT {_TRANSACTION_COLUMNS}
FROM transactions t
LEFT JOIN holds h ON h.booking_id = t.transaction_id
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
FROM transactions t
LEFT JOIN holds h ON h.booking_id = t.transaction_id
LEFT JOIN voids v ON v.transaction_id = t.transaction_id
WHERE t.wallet_id = $1 AND t.transaction_id < $2
  AND ($3::bigint IS NULL OR t.booking_id = $3)
ORDER BY t.transaction_id DESC
LIMIT $4
"""  # noqa: S608 (the columns are a constant)


async def list_transactions(
    conn: Connection, wallet_id: int, before: int, booking_id: int | None, limit: int
) -> list[Transaction]:
    """Read a wallet's transactions below the id `before`, newest first."""
    rows = await conn.fetch(LIST_TRANSACTIONS, wallet_id, before, booking_id, limit)
    return list((await _with_entries(conn, rows)).values())


LOAD_ENTRIES = """
SELECT e.transaction_id, a.wallet_id, a.account_type, a.asset_code, e.account_id,
       e.amount_minor, e.held_change_minor, e.balance_after_minor, e.held_after_minor,
       e.credit_limit_minor
FROM entries e JOIN accounts a USING (account_id)
WHERE e.transaction_id = ANY($1::bigint[])
ORDER BY e.transaction_id, e.leg_index
"""


async def _with_entries(conn: Connection, rows: Sequence[asyncpg.Record]) -> dict[int, Transaction]:
    ids = [row["transaction_id"] for row in rows]
    entries: dict[int, list[Entry]] = {each: [] for each in ids}
    for row in await conn.fetch(LOAD_ENTRIES, ids):
        entries[row[0]].append(Entry(AccountKey(row[1], row[2], row[3]), *row[4:]))
    return {
        row["transaction_id"]: _transaction(row, entries[row["transaction_id"]]) for row in rows
    }


def _transaction(row: asyncpg.Record, entries: Sequence[Entry]) -> Transaction:
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
        entries=tuple(entries),
        held_remaining_minor=(
            row["amount_minor"] - row["captured_minor"] - row["released_minor"] if held else 0
        ),
        captured_minor=row["captured_minor"] if held else 0,
        voids_transaction_id=row["voids_transaction_id"],
        voided_minor=row["voided_minor"],
        expires_at=row["expires_at"],
        expired=bool(row["expired"]),
    )


@dataclass(frozen=True, slots=True)
class Balance:
    """What a wallet holds of one asset, seen from the customer."""

    asset_code: str
    posted_minor: int
    held_minor: int
    credit_limit_minor: int

    @property
    def available_minor(self) -> int:
        return self.posted_minor - self.held_minor + self.credit_limit_minor


LOAD_BALANCES = """
SELECT asset_code, -balance_minor, held_minor, credit_limit_minor
FROM accounts WHERE wallet_id = $1 AND account_type = $2
ORDER BY asset_code
"""


async def load_balances(conn: Connection, wallet_id: int) -> list[Balance]:
    rows = await conn.fetch(LOAD_BALANCES, wallet_id, WALLET)
    return [Balance(*row) for row in rows]


LOAD_BALANCES_AS_OF = """
SELECT a.asset_code, -last.balance_after_minor, last.held_after_minor, last.credit_limit_minor
FROM accounts a
CROSS JOIN LATERAL (
    SELECT e.balance_after_minor, e.held_after_minor, e.credit_limit_minor
    FROM entries e
    WHERE e.account_id = a.account_id AND e.transaction_id < $3
    ORDER BY e.transaction_id DESC
    LIMIT 1
) AS last
WHERE a.wallet_id = $1 AND a.account_type = $2
ORDER BY a.asset_code
"""


async def load_balances_as_of(
    conn: Connection, wallet_id: int, below_transaction_id: int
) -> list[Balance]:
    """Read the balances as they stood after all transactions below an id."""
    rows = await conn.fetch(LOAD_BALANCES_AS_OF, wallet_id, WALLET, below_transaction_id)
    return [Balance(*row) for row in rows]


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
    reference: str
    recorded_at: datetime
    effective_at: datetime


LIST_ENTRIES = """
SELECT e.transaction_id, e.leg_index, e.asset_code, e.amount_minor, e.held_change_minor,
       -e.balance_after_minor, e.held_after_minor, t.reference, t.recorded_at, t.effective_at
FROM accounts a
JOIN entries e USING (account_id)
JOIN transactions t USING (transaction_id)
WHERE a.wallet_id = $1 AND a.account_type = $2
  AND ($3 = '' OR a.asset_code = $3)
  AND (e.transaction_id, e.leg_index) < ($4, $5)
ORDER BY e.transaction_id DESC, e.leg_index DESC
LIMIT $6
"""


async def list_entries(
    conn: Connection, wallet_id: int, asset_code: str, before: tuple[int, int], limit: int
) -> list[WalletEntry]:
    """Read a wallet's entries below `before` (transaction id, leg index), newest first."""
    rows = await conn.fetch(LIST_ENTRIES, wallet_id, WALLET, asset_code, *before, limit)
    return [WalletEntry(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    account_type: str
    asset_code: str
    amount_minor: int


LOAD_TRIAL_BALANCE = """
SELECT account_type, asset_code, amount_minor FROM trial_balance
ORDER BY asset_code, account_type
"""


async def load_trial_balance(conn: Connection) -> list[TrialBalanceLine]:
    """Sum the books in one snapshot: each asset sums to zero."""
    rows = await conn.fetch(LOAD_TRIAL_BALANCE)
    return [TrialBalanceLine(row[0], row[1], int(row[2])) for row in rows]
