"""Statements of the feed: committed events that nobody acknowledged yet.

Rows are taken by claim, not by a cursor, so that none can be missed: an event is in the outbox
from its commit until it is acknowledged. Ids grow in the order of commits on an account, since
they are drawn under its row lock, so events of one wallet come in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from wallet_service.decide.plan import AccountKey
from wallet_service.store.connections import Connection

LEASE = timedelta(seconds=10)

RENEW_LEASE = """
UPDATE feed_lease SET consumer_id = $1, leased_until = now() + $2::interval
WHERE consumer_id = $1 OR leased_until < now()
RETURNING true
"""


async def renew_lease(conn: Connection, consumer_id: str) -> bool:
    """Take or keep the feed for a consumer; False if another one has it."""
    return bool(await conn.fetchval(RENEW_LEASE, consumer_id, LEASE))


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


OLDEST_EVENTS = """
SELECT o.transaction_id, o.wallet_id, t.event AS payload, t.traceparent,
       t.recorded_at, t.effective_at
FROM (SELECT transaction_id, wallet_id FROM outbox ORDER BY transaction_id LIMIT $1) AS o
JOIN transactions t USING (transaction_id)
ORDER BY o.transaction_id
"""


async def oldest_events(conn: Connection, limit: int) -> list[FeedEvent]:
    """Read events with what their transactions moved, in the order of transactions."""
    rows = await conn.fetch(OLDEST_EVENTS, limit)
    entries: dict[int, list[MovedEntry]] = {row[0]: [] for row in rows}
    for transaction_id, *key, amount_minor in await conn.fetch(LOAD_MOVED, list(entries)):
        entries[transaction_id].append(MovedEntry(AccountKey(*key), amount_minor))
    return [FeedEvent(**dict(row), entries=tuple(entries[row[0]])) for row in rows]


LOAD_MOVED = """
SELECT e.transaction_id, a.wallet_id, a.account_type, a.asset_code, e.amount_minor
FROM entries e JOIN accounts a USING (account_id)
WHERE e.transaction_id = ANY($1::bigint[]) AND e.amount_minor <> 0
ORDER BY e.transaction_id, e.leg_index
"""


ACKNOWLEDGE = "DELETE FROM outbox WHERE transaction_id = ANY($1::bigint[])"


async def acknowledge(conn: Connection, transaction_ids: Sequence[int]) -> None:
    await conn.execute(ACKNOWLEDGE, transaction_ids)


COUNT_BACKLOG = "SELECT count(*) FROM (SELECT FROM outbox LIMIT $1) AS counted"


async def count_backlog(conn: Connection, limit: int) -> int:
    return int(await conn.fetchval(COUNT_BACKLOG, limit))
