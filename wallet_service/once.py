"""One request id, one outcome: for what is no posting."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import asyncpg

from shared.errors import Unavailable
from wallet_service.errors import NOT_KEPT, Refusal, request_id_reused
from wallet_service.store.connections import Connection, Pool, connection
from wallet_service.store.outcomes import SubjectOutcome, find_outcome, record_outcome

MAX_ATTEMPTS = 3

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Request:
    """What makes a mutating call repeatable."""

    request_id: str
    request_digest: bytes
    body_digest: bytes
    validate_only: bool


Change = Callable[[Connection], Awaitable[Subject | Refusal]]


class Records(Protocol[Subject]):
    """How a subject is told and found again by a request's outcome."""

    def outcome_of(self, body_digest: bytes, subject: Subject) -> SubjectOutcome: ...

    async def find(self, conn: Connection, outcome: SubjectOutcome) -> Subject | None: ...


class Once(Generic[Subject]):
    """Runs changes of one kind of subject, each in the `db_tx` that records its outcome."""

    def __init__(self, pool: Pool, records: Records[Subject]) -> None:
        self._pool = pool
        self._records = records

    async def run(self, request: Request, change: Change[Subject]) -> Subject:
        """Run `change`, unless the request id has an outcome; answer the subject as it stands.

        Raises `AlreadyExists` where the id came with another body, and the refusal of `change`.
        """
        for _ in range(MAX_ATTEMPTS):
            try:
                async with connection(self._pool) as conn, conn.transaction():
                    changed = await self._replayed(conn, request) or await self._first(
                        conn, request, change
                    )
            except asyncpg.UniqueViolationError:
                continue  # The same request was decided meanwhile; its outcome is there now.
            if isinstance(changed, Refusal):
                raise changed.as_error()
            return changed
        raise Unavailable("CONTENTION", "too many requests with one id")

    async def _replayed(self, conn: Connection, request: Request) -> Subject | Refusal | None:
        outcome = await find_outcome(conn, request.request_digest)
        if outcome is None:
            return None
        if outcome.body_digest != request.body_digest:
            return request_id_reused(request.request_id)
        return outcome.refusal or await self._records.find(conn, outcome)

    async def _first(
        self, conn: Connection, request: Request, change: Change[Subject]
    ) -> Subject | Refusal:
        changed = await change(conn)
        kept = not (isinstance(changed, Refusal) and changed.reason in NOT_KEPT)
        if kept and not request.validate_only:
            outcome = (
                SubjectOutcome(request.body_digest, refusal=changed)
                if isinstance(changed, Refusal)
                else self._records.outcome_of(request.body_digest, changed)
            )
            await record_outcome(conn, request.request_digest, outcome)
        return changed
