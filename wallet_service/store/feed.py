"""Statements of the feed: committed events that nobody acknowledged yet.

Rows are taken by claim, not by a cursor, so that none can be missed: an event is in the outbox
from its commit until it is acknowledged. Ids grow in the order of commits on an account, since
they are drawn under its row lock, so events of one wallet come in order; but for two that were
under way at the same time and met on no account, such as top-ups of different assets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from wallet_service.decide.plan import AccountKey
from wallet_service.store.connections import Connection


class MovedEntry(NamedTuple):
    """What a transaction moved on an account."""

    key: AccountKey
    amount_minor: int


@dataclass(frozen=True, slots=True)
class FeedEvent:
    transaction_id: int
    wallet_id: int
    payload: bytes
    traceparent: str
    recorded_at: datetime
    effective_at: datetime
    entries: tuple[MovedEntry, ...]


MAX_LOOKED_AT = 50_000
"""A consumer's events are looked for among so many of the oldest: newer ones wait until some of
those are published, by whoever has them. To look so far takes Postgres 25 ms."""

OLDEST_EVENTS = """
SELECT o.transaction_id, o.wallet_id, t.event AS payload, t.traceparent,
       t.recorded_at, t.effective_at
FROM (
    SELECT transaction_id, wallet_id
    FROM (SELECT transaction_id, wallet_id FROM outbox ORDER BY transaction_id LIMIT $3) AS oldest
    WHERE wallet_id % 64 = ANY (ARRAY(SELECT shard FROM feed_shards WHERE consumer_id = $1))
    ORDER BY transaction_id LIMIT $2
) AS o
JOIN transactions t USING (transaction_id)
ORDER BY o.transaction_id
"""


async def oldest_events(conn: Connection, consumer_id: str, limit: int) -> list[FeedEvent]:
    """Read a consumer's events with what their transactions moved, in the order of transactions."""
    rows = await conn.fetch(OLDEST_EVENTS, consumer_id, limit, MAX_LOOKED_AT)
    entries = await load_moved(conn, [row[0] for row in rows])
    return [FeedEvent(**dict(row), entries=tuple(entries[row[0]])) for row in rows]


LOAD_MOVED = """
SELECT e.transaction_id, a.wallet_id, a.account_type, a.asset_code, e.amount_minor
FROM entries e JOIN accounts a USING (account_id)
WHERE e.transaction_id = ANY($1::bigint[]) AND e.amount_minor <> 0
ORDER BY e.transaction_id, e.leg_index
"""


async def load_moved(
    conn: Connection, transaction_ids: Sequence[int]
) -> dict[int, list[MovedEntry]]:
    """Read what transactions moved, for each of them, in the order of their legs."""
    entries: dict[int, list[MovedEntry]] = {each: [] for each in transaction_ids}
    for transaction_id, *key, amount_minor in await conn.fetch(LOAD_MOVED, transaction_ids):
        entries[transaction_id].append(MovedEntry(AccountKey(*key), amount_minor))
    return entries


ACKNOWLEDGE = "DELETE FROM outbox WHERE transaction_id = ANY($1::bigint[])"


async def acknowledge(conn: Connection, transaction_ids: Sequence[int]) -> None:
    await conn.execute(ACKNOWLEDGE, transaction_ids)


READ_BACKLOG = """
SELECT count(*), min(transaction_id)
FROM (SELECT transaction_id FROM outbox ORDER BY transaction_id LIMIT $1) AS counted
"""


async def read_backlog(conn: Connection, limit: int) -> tuple[int, int | None]:
    """Count the events of all wallets, up to `limit`, and answer the oldest one's id."""
    (row,) = await conn.fetch(READ_BACKLOG, limit)
    return row[0], row[1]


COUNT_PUBLISHED = """
SELECT count(*)
FROM (
    SELECT FROM transactions t
    WHERE t.transaction_id > $1 AND t.event IS NOT NULL
        AND NOT EXISTS (SELECT FROM outbox o WHERE o.transaction_id = t.transaction_id)
    LIMIT $2
) AS counted
"""


async def count_published(conn: Connection, after: int, limit: int) -> int:
    """Count the events off the feed whose transaction's id is above `after`."""
    return int(await conn.fetchval(COUNT_PUBLISHED, after, limit))
