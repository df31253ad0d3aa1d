"""The feed of committed events: pulled, published by somebody, acknowledged."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from wallet_service.store import feed as store
from wallet_service.store.connections import Pool, connection
from wallet_service.store.feed import FeedEvent

POLL_INTERVAL_S = 0.1
"""How often a waiting consumer looks for events that another process committed."""

MAX_BACKLOG_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Pulled:
    events: list[FeedEvent]
    backlog: int


class Feed:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def pull(self, consumer_id: str, limit: int, wait_s: float) -> Pulled:
        """Answer the oldest events, or none after `wait_s`, or none to a consumer that must wait.

        Raises `Unavailable`.
        """
        deadline = time.monotonic() + wait_s
        while True:
            async with connection(self._pool) as conn:
                if await store.renew_lease(conn, consumer_id):
                    events = await store.oldest_events(conn, limit)
                    if events:
                        backlog = await store.count_backlog(conn, MAX_BACKLOG_COUNTED)
                        return Pulled(events, backlog)
            if time.monotonic() + POLL_INTERVAL_S > deadline:
                return Pulled([], 0)
            await asyncio.sleep(POLL_INTERVAL_S)

    async def acknowledge(self, transaction_ids: Sequence[int]) -> None:
        """Take events off the feed, durably. Raises `Unavailable`."""
        async with connection(self._pool) as conn:
            await store.acknowledge(conn, transaction_ids)
