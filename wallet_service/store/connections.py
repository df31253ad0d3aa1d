"""Connections to the ledger's database: few for posting, some for reading."""

from typing import NamedTuple

from shared import postgres
from shared.errors import Unavailable
from shared.postgres import Connection, Pool, connection

__all__ = [
    "STATEMENT_TIMEOUT_S",
    "Connection",
    "Pool",
    "Pools",
    "connection",
    "fault_of",
    "open_feed_pool",
    "open_posting_pool",
    "open_reading_pool",
    "probe",
]

STATEMENT_TIMEOUT_S = 10.0
FEED_CONNECTIONS = 2  # Publishers hold none while they wait.

_SESSION = {"application_name": "wallet_service"}


class Pools(NamedTuple):
    """A process's connections: few that post, others for everything else."""

    posting: Pool
    reading: Pool


# Posting joins small arrays to tables of any size by their keys. A plan made while a table was
# empty would scan it, and stay prepared; so the other ways are closed.
# The feed's table is empty most of the time, and long just when speed matters.
_KEYED_ONLY = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}


async def open_posting_pool(url: str, size: int) -> Pool:
    return await postgres.open_pool(url, size, STATEMENT_TIMEOUT_S, _SESSION | _KEYED_ONLY)


async def open_reading_pool(url: str, size: int) -> Pool:
    return await postgres.open_pool(url, size, STATEMENT_TIMEOUT_S, _SESSION)


async def open_feed_pool(url: str) -> Pool:
    return await postgres.open_pool(
        url, FEED_CONNECTIONS, STATEMENT_TIMEOUT_S, _SESSION | _KEYED_ONLY
    )


async def fault_of(url: str) -> str | None:
    """Say why the service cannot work on a database, and what to do; None if it can."""
    return await postgres.fault_of(url, "WALLET_DATABASE_URL", "entries", "wallet_service")


async def probe(pool: Pool) -> None:
    """Raise unless the database answers and takes writes."""
    async with connection(pool) as conn:
        if await conn.fetchval("SELECT pg_is_in_recovery()"):
            raise Unavailable("DATABASE_UNAVAILABLE", "the database is a standby")
