"""Monthly partitions of transactions and entries, made ahead of need."""

from wallet_service.store.connections import Pool, connection

MONTHS_AHEAD = 3

ENSURE_PARTITIONS = "SELECT ensure_partitions($1)"


async def ensure_partitions(pool: Pool) -> None:
    """Make the partitions of this month and the next ones, where they are missing."""
    async with connection(pool) as conn:
        await conn.execute(ENSURE_PARTITIONS, MONTHS_AHEAD)
