"""Statements on accounting periods."""

from dataclasses import dataclass
from datetime import datetime

from wallet_service.store.connections import Connection


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of effective time whose books are closed; `starts_at` is None for the first."""

    period_id: int
    starts_at: datetime | None
    ends_at: datetime
    closed_at: datetime


LOCK_POSTINGS = "SELECT lock_postings()"


async def lock_postings(conn: Connection) -> None:
    """Wait for the postings under way; new ones wait until this `db_tx` ends."""
    await conn.execute(LOCK_POSTINGS)


READ_CLOCK = "SELECT clock_timestamp()"


async def read_clock(conn: Connection) -> datetime:
    now: datetime = await conn.fetchval(READ_CLOCK)
    return now


LIST_PERIODS = """
SELECT period_id, lag(ends_at) OVER (ORDER BY ends_at) AS starts_at, ends_at, closed_at
FROM accounting_periods
WHERE period_id < $1
ORDER BY ends_at DESC
LIMIT $2
"""


async def list_periods(conn: Connection, before: int, limit: int) -> list[Period]:
    """Read the periods below the id `before`, newest first. Ids grow with the periods."""
    rows = await conn.fetch(LIST_PERIODS, before, limit)
    return [Period(*row) for row in rows]


INSERT_PERIOD = "INSERT INTO accounting_periods (ends_at) VALUES ($1) RETURNING period_id"


async def insert_period(conn: Connection, ends_at: datetime) -> int:
    period_id: int = await conn.fetchval(INSERT_PERIOD, ends_at)
    return period_id
