"""Connections to the ledger's database: few for posting, some for reading."""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from shared import postgres
from shared.errors import Unavailable
from shared.postgres import Connection, Pool, connection

__all__ = [
    "FEED_CONNECTIONS",
    "STATEMENT_TIMEOUT_S",
    "Connection",
    "Pool",
    "Pools",
    "connection",
    "fault_of",
    "open_pool",
    "probe",
    "survey",
]

STATEMENT_TIMEOUT_S = 10.0
FEED_CONNECTIONS = 2  # Publishers hold none while they wait.

# Nearly everything here finds a few rows of tables of any size by their keys. A plan made while a
# table was empty, or not yet looked at by `ANALYZE`, would scan it, and stay prepared while it
# grows; so the other ways are closed. With one way left, a statement is planned once: Postgres
# would plan anew each read of a table in months, to look into fewer of them.
_SESSION = {
    "application_name": "wallet_service",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}


class Pools(NamedTuple):
    """A process's connections: few that post, others for everything else."""

    posting: Pool
    reading: Pool


async def open_pool(url: str, size: int) -> Pool:
    return await postgres.open_pool(url, size, STATEMENT_TIMEOUT_S, _SESSION)


ALLOW_SCANS = """
SELECT set_config(name, value, true)
FROM (VALUES ('enable_seqscan', 'on'), ('enable_hashjoin', 'on'), ('enable_mergejoin', 'on'),
             ('plan_cache_mode', 'auto')) AS settings (name, value)
"""


async def survey(
    conn: Connection, statement: str, *arguments: object, timeout_s: float = STATEMENT_TIMEOUT_S
) -> Sequence[asyncpg.Record]:
    """Fetch what is asked of all rows of tables: it may scan them, and is planned for its values.

    So may what follows in the same `db_tx`, if one is open.
    """
    async with conn.transaction():
        await conn.execute(ALLOW_SCANS)
        return await conn.fetch(statement, *arguments, timeout=timeout_s)


async def fault_of(url: str) -> str | None:
    """Say why the service cannot work on a database, and what to do; None if it can."""
    return await postgres.fault_of(url, "WALLET_DATABASE_URL", "entries", "wallet_service")


async def probe(pool: Pool) -> None:
    """Raise unless the database answers and takes writes."""
    async with connection(pool) as conn:
        if await conn.fetchval("SELECT pg_is_in_recovery()"):
            raise Unavailable("DATABASE_UNAVAILABLE", "the database is a standby")
