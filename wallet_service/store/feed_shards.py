"""Statements that share the feed among its consumers.

Each statement commits by itself. A shard changes hands only by leaving a consumer, which the
database does when the consumer's row goes, and then by being taken: so none has two at once.
"""

from collections.abc import Mapping
from datetime import timedelta

from wallet_service.store.connections import Connection

LEASE = timedelta(seconds=10)

RENEW = """
INSERT INTO feed_consumers (consumer_id, leased_until) VALUES ($1, now() + $2::interval)
ON CONFLICT (consumer_id) DO UPDATE SET leased_until = excluded.leased_until
"""

# Waits for a renewal under way, and then leaves that consumer alone.
REMOVE_SILENT = "DELETE FROM feed_consumers WHERE leased_until < now()"

FAIR_SHARE = """
SELECT ceil((SELECT count(*) FROM feed_shards)::numeric / count(*))::integer FROM feed_consumers
"""

# Not in the order of shards: wallets that were made one after the other are busy together.
GIVE_BACK = """
UPDATE feed_shards SET consumer_id = NULL
WHERE consumer_id = $1 AND shard IN (
    SELECT shard FROM feed_shards WHERE consumer_id = $1 ORDER BY shard * 37 % 64 OFFSET $2
)
"""

TAKE_FREE = """
UPDATE feed_shards SET consumer_id = $1
WHERE shard IN (
    SELECT shard FROM feed_shards WHERE consumer_id IS NULL ORDER BY shard
    LIMIT greatest(0, $2 - (SELECT count(*) FROM feed_shards WHERE consumer_id = $1))
    FOR UPDATE SKIP LOCKED
)
"""


async def claim_share(conn: Connection, consumer_id: str) -> None:
    """Renew a consumer's lease, and bring it nearer to its fair share of the shards.

    It gives back what is above, and takes what is free, also of those that were silent.
    """
    await conn.execute(RENEW, consumer_id, LEASE)
    await conn.execute(REMOVE_SILENT)
    share = await conn.fetchval(FAIR_SHARE)
    await conn.execute(GIVE_BACK, consumer_id, share)
    await conn.execute(TAKE_FREE, consumer_id, share)


RELEASE = "DELETE FROM feed_consumers WHERE consumer_id = $1"


async def release(conn: Connection, consumer_id: str) -> None:
    """Free a consumer's shards; one that is not there has none."""
    await conn.execute(RELEASE, consumer_id)


COUNT_SHARDS = """
SELECT c.consumer_id, count(s.shard)
FROM feed_consumers c LEFT JOIN feed_shards s USING (consumer_id)
WHERE c.leased_until >= now()
GROUP BY c.consumer_id ORDER BY c.consumer_id
"""


async def count_shards(conn: Connection) -> Mapping[str, int]:
    """Answer how many shards each consumer has that is not silent."""
    return {row[0]: row[1] for row in await conn.fetch(COUNT_SHARDS)}
