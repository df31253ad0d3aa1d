"""When a new version may take effect."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import FailedPrecondition

EFFECTIVE_TIME_PAST = "EFFECTIVE_TIME_PAST"
PRICE_BOOK_LIMIT_EXCEEDED = "PRICE_BOOK_LIMIT_EXCEEDED"
LEAD_TIME = timedelta(seconds=5)
"""Every instance has found a version by then: it looks each second, and no look takes longer."""
MAX_TO_COME = 20
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is published at `now`: the latest effective time, and how many are to come."""

    now: datetime
    last_effective_at: datetime | None
    to_come: int


def effective_time(asked: datetime | None, standing: Standing) -> datetime:
    """Answer from when on a new version holds. Raises `FailedPrecondition`.

    The first of all may hold at once: nobody can have a price from another.
    """
    if standing.to_come >= MAX_TO_COME:
        raise FailedPrecondition(
            PRICE_BOOK_LIMIT_EXCEEDED, f"{MAX_TO_COME} price books are still to come"
        )
    soonest = standing.now + LEAD_TIME if standing.last_effective_at else standing.now
    effective_at = asked or soonest
    last = standing.last_effective_at
    earliest = max(soonest, last + _INSTANT) if last else soonest
    if effective_at < earliest:
        raise FailedPrecondition(
            EFFECTIVE_TIME_PAST,
            f"a new price book may take effect at {earliest.isoformat()} or later",
            {"earliest_time": earliest.isoformat()},
        )
    return effective_at
