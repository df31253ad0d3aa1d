"""Events as the books keep them: read again at any time, and put back on the feed."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from wallet_service import ids
from wallet_service.store import events as store
from wallet_service.store.connections import STATEMENT_TIMEOUT_S, Connection, Pool, connection
from wallet_service.store.events import EventPage, RecordedEvent
from wallet_service.store.periods import read_clock

POLL_INTERVAL_S = 0.02


@dataclass(frozen=True, slots=True)
class IdRange:
    """From `start` (inclusive) to `end` (exclusive)."""

    start: int
    end: int


class Events:
    """Every coroutine raises `Unavailable`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def written(self, start: datetime | None, end: datetime | None) -> IdRange:
        """Answer the ids of what was written from `start` to `end`, or to now if that is earlier.

        Returns when everything in the range has committed: nothing is added to it later.
        """
        async with connection(self._pool) as conn:
            now = await read_clock(conn)
            # This millisecond's ids are still being drawn.
            this_millisecond = now.replace(microsecond=now.microsecond // 1000 * 1000)
            await _await_postings(conn)
        return IdRange(
            ids.first_id_from(start) if start else 0,
            ids.first_id_from(min(end or this_millisecond, this_millisecond)),
        )

    async def page(self, after: int, end: int, limit: int) -> EventPage:
        """Look at the next `limit` transactions above `after` and below `end`."""
        async with connection(self._pool) as conn:
            return await store.list_events(conn, after, end, limit)

    async def some(self, transaction_ids: Sequence[int]) -> list[RecordedEvent]:
        """Read the events of those transactions that have one, in their order."""
        async with connection(self._pool) as conn:
            return await store.get_events(conn, transaction_ids)

    async def republish(self, transaction_ids: Sequence[int]) -> int:
        """Put events back on the feed, durably; answer how many were not there."""
        async with connection(self._pool) as conn:
            return await store.republish(conn, transaction_ids)


async def _await_postings(conn: Connection) -> None:
    """Return when all postings under way have ended: after 10 s none of them can commit."""
    mark = await store.draw_mark(conn)
    with suppress(TimeoutError):
        async with asyncio.timeout(STATEMENT_TIMEOUT_S):
            while not await store.have_ended(conn, mark):  # noqa: ASYNC110 (Postgres tells nobody)
                await asyncio.sleep(POLL_INTERVAL_S)
