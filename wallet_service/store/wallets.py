"""Statements on wallets themselves."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from wallet_service.store.connections import Connection

_COLUMNS = """wallet_id, wallet_type, display_name, parent_wallet_id, state, version, created_at,
    attributes, policy,
    (SELECT jsonb_agg(jsonb_build_array(above.wallet_id, above.wallet_type, above.attributes)
                      ORDER BY cardinality(above.path) DESC)
     FROM wallets above WHERE above.wallet_id = ANY(wallets.path)) AS above"""


class Above(NamedTuple):
    """A wallet that stands above another one."""

    wallet_id: int
    wallet_type: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet as stored; `above` has the nearest first.

    Its attributes are in the form of the version in which they were written.
    """

    wallet_id: int
    wallet_type: str
    display_name: str
    parent_wallet_id: int | None
    state: str
    version: int
    created_at: datetime | None
    attributes: Mapping[str, Any]
    policy: Mapping[str, Any]
    above: tuple[Above, ...]

    @property
    def path(self) -> list[int]:
        """The wallets above it, the topmost first."""
        return [each.wallet_id for each in reversed(self.above)]


def _wallet(row: asyncpg.Record) -> Wallet:
    above = json.loads(row["above"] or "[]")
    return Wallet(
        row["wallet_id"],
        row["wallet_type"],
        row["display_name"],
        row["parent_wallet_id"],
        row["state"],
        row["version"],
        row["created_at"],
        json.loads(row["attributes"]),
        json.loads(row["policy"]),
        tuple(Above(*each) for each in above),
    )


FIND_WALLET = f"SELECT {_COLUMNS} FROM wallets WHERE wallet_id = $1"  # noqa: S608 (a constant)


async def find_wallet(conn: Connection, wallet_id: int) -> Wallet | None:
    row = await conn.fetchrow(FIND_WALLET, wallet_id)
    return _wallet(row) if row else None


FIND_WALLETS = f"SELECT {_COLUMNS} FROM wallets WHERE wallet_id = ANY($1::bigint[])"  # noqa: S608


async def find_wallets(conn: Connection, wallet_ids: Sequence[int]) -> list[Wallet]:
    """Read those wallets that exist."""
    return [_wallet(row) for row in await conn.fetch(FIND_WALLETS, wallet_ids)]


LIST_WALLETS = f"""
SELECT {_COLUMNS} FROM wallets
WHERE wallet_id > $1
ORDER BY wallet_id
LIMIT $2
"""  # noqa: S608 (a constant)

LIST_CHILDREN = f"""
SELECT {_COLUMNS} FROM wallets
WHERE wallet_id > $1 AND parent_wallet_id = $3
ORDER BY wallet_id
LIMIT $2
"""  # noqa: S608 (a constant)


async def list_wallets(
    conn: Connection, after: int, parent_wallet_id: int | None, limit: int
) -> list[Wallet]:
    """Read the wallets above the id `after`, or those of them that stand right below a parent."""
    if parent_wallet_id is None:
        rows = await conn.fetch(LIST_WALLETS, after, limit)
    else:
        rows = await conn.fetch(LIST_CHILDREN, after, limit, parent_wallet_id)
    return [_wallet(row) for row in rows]


INSERT_WALLET = f"""
INSERT INTO wallets (wallet_type, display_name, parent_wallet_id, attributes, policy, path)
VALUES ($1, $2, $3, $4::jsonb, $5::jsonb, $6)
RETURNING {_COLUMNS}
"""  # noqa: S608 (a constant)


async def insert_wallet(conn: Connection, wallet: Wallet) -> Wallet:
    """Store a new wallet; its id, state, version and time of creation are assigned here."""
    row = await conn.fetchrow(
        INSERT_WALLET,
        wallet.wallet_type,
        wallet.display_name,
        wallet.parent_wallet_id,
        json.dumps(wallet.attributes),
        json.dumps(wallet.policy),
        wallet.path,
    )
    assert row is not None  # noqa: S101 (an INSERT of one row returns one)
    return _wallet(row)


UPDATE_WALLET = f"""
UPDATE wallets SET display_name = $2, attributes = $3::jsonb, policy = $4::jsonb,
    version = version + 1
WHERE wallet_id = $1
RETURNING {_COLUMNS}
"""  # noqa: S608 (a constant)


async def update_wallet(conn: Connection, wallet: Wallet) -> Wallet:
    """Store a wallet's new name, attributes and policy; the caller has locked it."""
    row = await conn.fetchrow(
        UPDATE_WALLET,
        wallet.wallet_id,
        wallet.display_name,
        json.dumps(wallet.attributes),
        json.dumps(wallet.policy),
    )
    assert row is not None  # noqa: S101 (the caller has locked it)
    return _wallet(row)


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
    return _wallet(row)


LOCK_WALLET = f"SELECT {_COLUMNS} FROM wallets WHERE wallet_id = $1 FOR NO KEY UPDATE"  # noqa: S608


async def lock_wallet(conn: Connection, wallet_id: int) -> Wallet | None:
    """Lock a wallet's row: its state changes in turn, and no account is made meanwhile."""
    row = await conn.fetchrow(LOCK_WALLET, wallet_id)
    return _wallet(row) if row else None


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
    FROM lots l
    WHERE l.account_id = a.account_id AND l.remaining_minor > 0 AND l.expires_at <= now()
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
