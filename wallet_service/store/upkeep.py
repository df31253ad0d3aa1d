"""Statements of the upkeep: monthly partitions made ahead of need, old requests forgotten."""

from datetime import timedelta

from wallet_service.store.connections import Pool, connection

MONTHS_AHEAD = 3

ENSURE_PARTITIONS = "SELECT ensure_partitions($1)"


async def ensure_partitions(pool: Pool) -> None:
    """Make the partitions of this month and the next ones, where they are missing."""
    async with connection(pool) as conn:
        await conn.execute(ENSURE_PARTITIONS, MONTHS_AHEAD)


FORGET_REQUESTS = "SELECT forget_requests($1, $2)"


async def forget_requests(pool: Pool, retention: timedelta, limit: int) -> int:
    """Forget requests decided longer ago than that, which is at least 90 days; answer how many."""
    async with connection(pool) as conn:
        return int(await conn.fetchval(FORGET_REQUESTS, retention, limit))
