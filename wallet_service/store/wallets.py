"""Statements on wallets themselves."""

from dataclasses import dataclass
from datetime import datetime

from wallet_service.store.connections import Connection

_COLUMNS = "wallet_id, wallet_type, display_name, parent_wallet_id, state, version, created_at"


@dataclass(frozen=True, slots=True)
class Wallet:
    wallet_id: int
    wallet_type: str
    display_name: str
    parent_wallet_id: int | None
    state: str
    version: int
    created_at: datetime | None


FIND_WALLET = f"SELECT {_COLUMNS} FROM wallets WHERE wallet_id = $1"  # noqa: S608 (a constant)


async def find_wallet(conn: Connection, wallet_id: int) -> Wallet | None:
    row = await conn.fetchrow(FIND_WALLET, wallet_id)
    return Wallet(*row) if row else None


LIST_WALLETS = f"""
SELECT {_COLUMNS} FROM wallets
WHERE wallet_id > $1 AND ($2::bigint IS NULL OR parent_wallet_id = $2)
ORDER BY wallet_id
LIMIT $3
"""  # noqa: S608 (a constant)


async def list_wallets(
    conn: Connection, after: int, parent_wallet_id: int | None, limit: int
) -> list[Wallet]:
    rows = await conn.fetch(LIST_WALLETS, after, parent_wallet_id, limit)
    return [Wallet(*row) for row in rows]


INSERT_WALLET = f"""
INSERT INTO wallets (wallet_type, display_name, parent_wallet_id)
VALUES ($1, $2, $3)
RETURNING {_COLUMNS}
"""  # noqa: S608 (a constant)


async def insert_wallet(
    conn: Connection, wallet_type: str, display_name: str, parent_wallet_id: int | None
) -> Wallet:
    row = await conn.fetchrow(INSERT_WALLET, wallet_type, display_name, parent_wallet_id)
    assert row is not None  # noqa: S101 (an INSERT of one row returns one)
    return Wallet(*row)


RENAME_WALLET = f"""
UPDATE wallets SET display_name = $3, version = version + 1
WHERE wallet_id = $1 AND version = $2
RETURNING {_COLUMNS}
"""  # noqa: S608 (a constant)


async def rename_wallet(
    conn: Connection, wallet_id: int, version: int, display_name: str
) -> Wallet | None:
    """Change the name if `version` is still the wallet's; else nothing, and answer None."""
    row = await conn.fetchrow(RENAME_WALLET, wallet_id, version, display_name)
    return Wallet(*row) if row else None


CHANGE_STATE = f"""
UPDATE wallets SET state = $2, version = version + (state <> $2)::int
WHERE wallet_id = $1
RETURNING {_COLUMNS}
"""  # noqa: S608 (a constant)


CHANGE_ACCOUNTS_STATE = "UPDATE accounts SET wallet_state = $2 WHERE wallet_id = $1"


async def change_state(conn: Connection, wallet_id: int, state: str) -> Wallet:
    """Set the state of a wallet that is there, also where postings find it."""
    await conn.execute(CHANGE_ACCOUNTS_STATE, wallet_id, state)
    row = await conn.fetchrow(CHANGE_STATE, wallet_id, state)
    assert row is not None  # noqa: S101 (the caller has locked it)
    return Wallet(*row)


LOCK_WALLET = f"SELECT {_COLUMNS} FROM wallets WHERE wallet_id = $1 FOR NO KEY UPDATE"  # noqa: S608


async def lock_wallet(conn: Connection, wallet_id: int) -> Wallet | None:
    """Lock a wallet's row: its state changes in turn, and no account is made meanwhile."""
    row = await conn.fetchrow(LOCK_WALLET, wallet_id)
    return Wallet(*row) if row else None


LOCK_HOLDINGS = """
SELECT balance_minor, held_minor FROM accounts
WHERE wallet_id = $1 AND account_type = 'WALLET'
ORDER BY account_id
FOR NO KEY UPDATE
"""


async def lock_holdings(conn: Connection, wallet_id: int) -> bool:
    """Lock a wallet's accounts against postings; answer whether all of them are empty."""
    rows = await conn.fetch(LOCK_HOLDINGS, wallet_id)
    return not any(balance or held for balance, held in rows)


LOCK_CREDIT_USED = """
SELECT a.balance_minor + a.held_minor + (
    SELECT coalesce(sum(l.remaining_minor - l.held_minor), 0)::bigint
    FROM lots l WHERE l.account_id = a.account_id AND l.expires_at <= now()
)
FROM accounts a
WHERE wallet_id = $1 AND account_type = 'WALLET' AND asset_code = $2
FOR NO KEY UPDATE OF a
"""


async def lock_credit_used(conn: Connection, wallet_id: int, asset_code: str) -> int:
    """Lock a wallet's account and answer how far it is below zero (negative: above).

    What is free of lots that have expired, and not been swept yet, does not count as its own.
    """
    used_minor: int | None = await conn.fetchval(LOCK_CREDIT_USED, wallet_id, asset_code)
    return used_minor or 0


SET_CREDIT_LIMIT = """
UPDATE accounts SET credit_limit_minor = $3
WHERE wallet_id = $1 AND account_type = 'WALLET' AND asset_code = $2
"""


async def set_credit_limit(
    conn: Connection, wallet_id: int, asset_code: str, credit_limit_minor: int
) -> None:
    """Set the limit of an account that is there."""
    await conn.execute(SET_CREDIT_LIMIT, wallet_id, asset_code, credit_limit_minor)
