"""What a request id about something other than a posting came to."""

from dataclasses import dataclass

from wallet_service.errors import Refusal
from wallet_service.store.connections import Connection


@dataclass(frozen=True, slots=True)
class SubjectOutcome:
    """The wallet, or the period, that a request id made or changed; or its refusal."""

    body_digest: bytes
    wallet_id: int | None = None
    period_id: int | None = None
    refusal: Refusal | None = None


FIND_OUTCOME = """
SELECT body_digest, wallet_id, period_id, refusal FROM requests WHERE request_digest = $1
"""


async def find_outcome(conn: Connection, request_digest: bytes) -> SubjectOutcome | None:
    row = await conn.fetchrow(FIND_OUTCOME, request_digest)
    if row is None:
        return None
    refusal = Refusal.from_json(row["refusal"]) if row["refusal"] else None
    return SubjectOutcome(row["body_digest"], row["wallet_id"], row["period_id"], refusal)


RECORD_OUTCOME = """
INSERT INTO requests (request_digest, body_digest, wallet_id, period_id, refusal, recorded_at)
VALUES ($1, $2, $3, $4, $5::jsonb, now())
"""


async def record_outcome(conn: Connection, request_digest: bytes, outcome: SubjectOutcome) -> None:
    """Record what a request id came to; `asyncpg.UniqueViolationError` if somebody just did."""
    await conn.execute(
        RECORD_OUTCOME,
        request_digest,
        outcome.body_digest,
        outcome.wallet_id,
        outcome.period_id,
        outcome.refusal.to_json() if outcome.refusal else None,
    )
