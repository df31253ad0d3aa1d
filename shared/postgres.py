"""Connections to Postgres: a pool, statements with a deadline, one error for all its ills."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg

from shared.errors import Unavailable

Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

CONNECT_TIMEOUT_S = 10.0

_SESSION = {
    "timezone": "UTC",
    "jit": "off",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
}


async def open_pool(
    url: str, size: int, statement_timeout_s: float, session: Mapping[str, str]
) -> Pool:
    """Open a pool; `session` are settings of its connections, such as `application_name`."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        command_timeout=statement_timeout_s,
        timeout=CONNECT_TIMEOUT_S,
        server_settings={**_SESSION, **session},
        reset=_hand_on,
    )


async def _hand_on(_: Connection) -> None:
    """Hand a connection on as it is, for nothing of ours outlives its transaction.

    asyncpg still ends a transaction that was left open; its own reset would be a round trip more.
    """


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
        async with pool.acquire(timeout=CONNECT_TIMEOUT_S) as conn:
            yield conn
    except _DOWN as error:
        raise Unavailable("DATABASE_UNAVAILABLE", "the database does not answer") from error


async def fault_of(url: str, variable: str, table: str, service: str) -> str | None:
    """Say why a service cannot work on a database, and what to do; None if it can.

    `variable` is where `url` stands, `table` one that every migrated database has.
    """
    try:
        conn = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return f"the database of {variable} does not let us in: {error}"
    try:
        migrated = await conn.fetchval("SELECT to_regclass($1) IS NOT NULL", f"public.{table}")
    finally:
        await conn.close()
    if migrated:
        return None
    return f"the database has no schema: run `python -m {service} migrate` as its owner"
