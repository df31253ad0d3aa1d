"""The feed of committed events: pulled, published by many at once, acknowledged.

Each consumer has a share of the wallets: shards, which it keeps while it is heard of. They change
hands at a pull, when what the consumer pulled before is acknowledged or given up, so in normal
work no event is with two of them.

A consumer that was paused for longer than its lease may publish what another one has taken over.
That repeats events, and cannot reorder a wallet's: each of the two publishes from the oldest on
that nobody acknowledged, without gaps, so whatever comes for the first time comes in order. For
the same reason its acknowledgement is as good as any: it tells of what is published.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from wallet_service import ids
from wallet_service.store import feed as store
from wallet_service.store import feed_shards
from wallet_service.store.connections import Connection, Pool, connection
from wallet_service.store.feed import FeedEvent

POLL_INTERVAL_S = 0.1
"""How often a waiting consumer looks for events that another process committed."""

CLAIM_INTERVAL_S = 1.0
"""How often a waiting consumer says that it lives, and looks for shards to take or give back."""

MAX_COUNTED_IN_PULL = 10_000
MAX_COUNTED = 100_000
"""To count so many takes Postgres 30 ms."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Events that wait, whoever's they are; counted up to a limit."""

    count: int
    oldest_recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pulled:
    events: list[FeedEvent]
    backlog: Backlog


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """`shards` by consumer; `published_after` counts events off the feed, None if not asked for."""

    backlog: Backlog
    shards: Mapping[str, int]
    published_after: int | None


class Feed:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def pull(self, consumer_id: str, limit: int, wait_s: float) -> Pulled:
        """Answer the oldest events of a consumer's shards, or none after `wait_s`.

        Raises `Unavailable`.
        """
        deadline = time.monotonic() + wait_s
        next_claim = 0.0
        while True:
            async with connection(self._pool) as conn:
                if time.monotonic() >= next_claim:
                    await feed_shards.claim_share(conn, consumer_id)
                    next_claim = time.monotonic() + CLAIM_INTERVAL_S
                events = await store.oldest_events(conn, consumer_id, limit)
                if events or time.monotonic() + POLL_INTERVAL_S > deadline:
                    return Pulled(events, await _backlog(conn, MAX_COUNTED_IN_PULL))
            await asyncio.sleep(POLL_INTERVAL_S)

    async def acknowledge(self, transaction_ids: Sequence[int]) -> None:
        """Take events off the feed, durably. Raises `Unavailable`."""
        async with connection(self._pool) as conn:
            await store.acknowledge(conn, transaction_ids)

    async def release(self, consumer_id: str) -> None:
        """Leave a consumer's shards to the others at once. Raises `Unavailable`."""
        async with connection(self._pool) as conn:
            await feed_shards.release(conn, consumer_id)

    async def status(self, after: int | None = None) -> FeedStatus:
        """Say what waits and who reads, and how much was published of later than `after`.

        Raises `Unavailable`.
        """
        async with connection(self._pool) as conn:
            return FeedStatus(
                await _backlog(conn, MAX_COUNTED),
                await feed_shards.count_shards(conn),
                None if after is None else await store.count_published(conn, after, MAX_COUNTED),
            )


async def _backlog(conn: Connection, limit: int) -> Backlog:
    count, oldest_id = await store.read_backlog(conn, limit)
    return Backlog(count, ids.recorded_at(oldest_id) if oldest_id else None)
