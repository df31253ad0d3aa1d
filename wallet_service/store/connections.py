"""Connections to Postgres: few for posting, some for reading, each statement with a deadline."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeAlias

import asyncpg

from shared.errors import Unavailable

Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

STATEMENT_TIMEOUT_S = 10.0


class Pools(NamedTuple):
    """A process's connections: few that post, others for everything else."""

    posting: Pool
    reading: Pool


_SESSION = {
    "application_name": "wallet_service",
    "timezone": "UTC",
    "jit": "off",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
}

# Posting joins small arrays to tables of any size by their keys. A plan made while a table was
# empty would scan it, and stay prepared; so the other ways are closed.
_KEYED_ONLY = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}


async def open_posting_pool(url: str, size: int) -> Pool:
    return await _open_pool(url, size, _SESSION | _KEYED_ONLY)


async def open_reading_pool(url: str, size: int) -> Pool:
    return await _open_pool(url, size, _SESSION)


async def _open_pool(url: str, size: int, session: dict[str, str]) -> Pool:
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        command_timeout=STATEMENT_TIMEOUT_S,
        timeout=STATEMENT_TIMEOUT_S,
        server_settings=session,
    )


IS_MIGRATED = "SELECT to_regclass('public.entries') IS NOT NULL"


async def fault_of(url: str) -> str | None:
    """Say why the service cannot work on a database, and what to do; None if it can."""
    try:
        conn = await asyncpg.connect(url, timeout=STATEMENT_TIMEOUT_S)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return f"the database of WALLET_DATABASE_URL does not let us in: {error}"
    try:
        migrated = await conn.fetchval(IS_MIGRATED)
    finally:
        await conn.close()
    if migrated:
        return None
    return "the database has no schema: run `python -m wallet_service migrate` as its owner"


_DOWN = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
)


@asynccontextmanager
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    """Borrow a connection; a database that does not do its part is `Unavailable`."""
    try:
        async with pool.acquire(timeout=STATEMENT_TIMEOUT_S) as conn:
            yield conn
    except _DOWN as error:
        raise Unavailable(
            "DATABASE_UNAVAILABLE", "the ledger's database does not answer"
        ) from error


async def probe(pool: Pool) -> None:
    """Raise unless the database answers and takes writes."""
    async with connection(pool) as conn:
        if await conn.fetchval("SELECT pg_is_in_recovery()"):
            raise Unavailable("DATABASE_UNAVAILABLE", "the database is a standby")
