"""Statements on events as the books keep them, published or not; and on publishing them again."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from wallet_service.store.connections import Connection
from wallet_service.store.feed import FeedEvent, MovedEntry, load_moved

DRAW_MARK = "SELECT pg_current_xact_id()::text"


async def draw_mark(conn: Connection) -> str:
    """Answer what tells the postings under way now from those that come later."""
    mark: str = await conn.fetchval(DRAW_MARK)
    return mark


HAVE_ENDED = "SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8"


async def have_ended(conn: Connection, mark: str) -> bool:
    """Say whether all postings that were under way when `mark` was drawn have ended.

    They drew their times after they had locked accounts: whatever comes later is later.
    """
    return bool(await conn.fetchval(HAVE_ENDED, mark))


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    event: FeedEvent
    in_feed: bool
    kind: str


_EVENTS = """
SELECT t.transaction_id, t.wallet_id, t.event AS payload, t.traceparent,
       t.recorded_at, t.effective_at, o.transaction_id IS NOT NULL AS in_feed, t.kind
"""

LIST_EVENTS = f"""
{_EVENTS}
FROM (
    SELECT * FROM transactions
    WHERE transaction_id > $1 AND transaction_id < $2
    ORDER BY transaction_id
    LIMIT $3
) AS t
LEFT JOIN outbox o USING (transaction_id)
ORDER BY t.transaction_id
"""  # noqa: S608 (the columns are a constant)


@dataclass(frozen=True, slots=True)
class EventPage:
    events: list[RecordedEvent]
    last_id: int | None
    """The last transaction that was looked at; None if there are no more."""


async def list_events(conn: Connection, after: int, end: int, limit: int) -> EventPage:
    """Look at `limit` transactions between two ids, in their order; answer those with an event."""
    rows = await conn.fetch(LIST_EVENTS, after, end, limit)
    last_id = rows[-1]["transaction_id"] if len(rows) == limit else None
    return EventPage(await _events(conn, rows), last_id)


GET_EVENTS = f"""
{_EVENTS}
FROM transactions t LEFT JOIN outbox o USING (transaction_id)
WHERE t.transaction_id = ANY($1::bigint[])
ORDER BY t.transaction_id
"""


async def get_events(conn: Connection, transaction_ids: Sequence[int]) -> list[RecordedEvent]:
    """Read the events of those transactions that have one, in their order."""
    return await _events(conn, await conn.fetch(GET_EVENTS, transaction_ids))


async def _events(conn: Connection, rows: Sequence[asyncpg.Record]) -> list[RecordedEvent]:
    rows = [row for row in rows if row["payload"] is not None]
    moved = await load_moved(conn, [row["transaction_id"] for row in rows])
    return [_event(row, moved[row["transaction_id"]]) for row in rows]


def _event(row: asyncpg.Record, moved: Sequence[MovedEntry]) -> RecordedEvent:
    fields = dict(row)
    of_record = fields.pop("in_feed"), fields.pop("kind")
    return RecordedEvent(FeedEvent(**fields, entries=tuple(moved)), *of_record)


REPUBLISH = """
INSERT INTO outbox (transaction_id, wallet_id)
SELECT transaction_id, wallet_id FROM transactions
WHERE transaction_id = ANY($1::bigint[]) AND event IS NOT NULL
ORDER BY transaction_id
ON CONFLICT ON CONSTRAINT outbox_pkey DO NOTHING
RETURNING transaction_id
"""


async def republish(conn: Connection, transaction_ids: Sequence[int]) -> int:
    """Put events into the outbox unless they are there; answer how many were not."""
    return len(await conn.fetch(REPUBLISH, transaction_ids))
