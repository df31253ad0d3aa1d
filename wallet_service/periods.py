"""Closing and reading accounting periods: one coroutine for each use case."""

from datetime import datetime

from shared.errors import invalid
from wallet_service.errors import Refusal, period_closed
from wallet_service.once import Once, Request
from wallet_service.store import periods as store
from wallet_service.store.connections import Connection, Pool, connection
from wallet_service.store.outcomes import SubjectOutcome
from wallet_service.store.periods import Period

LAST = (1 << 63) - 1
"""Greater than any period's id: where newest-first lists start."""


class Periods:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._once: Once[Period] = Once(pool, _PeriodRecords())

    async def close(self, request: Request, ends_at: datetime) -> Period:
        """Close the books up to a time, once all postings under way have ended.

        Raises `InvalidArgument` (a time to come), `AlreadyExists`, `FailedPrecondition` (closed
        up to a later time).
        """

        async def change(conn: Connection) -> Period | Refusal:
            await store.lock_postings(conn)
            now = await store.read_clock(conn)
            if ends_at > now:
                raise invalid("end_time", "must not be in the future")
            last = await store.list_periods(conn, LAST, 1)
            if last and ends_at <= last[0].ends_at:
                return period_closed(last[0].ends_at)
            if request.validate_only:
                return Period(0, last[0].ends_at if last else None, ends_at, now)
            await store.insert_period(conn, ends_at)
            return (await store.list_periods(conn, LAST, 1))[0]

        return await self._once.run(request, change)

    async def page(self, before: int, limit: int) -> list[Period]:
        """Read the periods below the id `before`, newest first."""
        async with connection(self._pool) as conn:
            return await store.list_periods(conn, before, limit)


class _PeriodRecords:
    def outcome_of(self, body_digest: bytes, subject: Period) -> SubjectOutcome:
        return SubjectOutcome(body_digest, period_id=subject.period_id)

    async def find(self, conn: Connection, outcome: SubjectOutcome) -> Period | None:
        assert outcome.period_id is not None  # noqa: S101 (or its digest would differ)
        return (await store.list_periods(conn, outcome.period_id + 1, 1))[0]
