"""How far each part of finance's road is behind. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from privy.wallet.v1.feed_pb2 import GetFeedStatusResponse

FIELDS = ("transaction_id", "create_time", "written_time")
"""What is asked of the newest document."""


def row_of(
    status: GetFeedStatusResponse, newest: Mapping[str, Any] | None, letters: int, now: datetime
) -> dict[str, Any]:
    """Say what waits where, and for how long.

    `status` has counted what was published after the event of `newest`: that is the
    subscription's backlog, as far as it is newer than what was written, and counts dead letters
    in. Only Google's own monitoring knows more of it; no emulator does.
    """
    oldest = status.oldest_create_time.ToDatetime(UTC)
    has_oldest = status.HasField("oldest_create_time")
    return {
        "feed_backlog": status.backlog,
        "feed_lag_s": _seconds(oldest, now) if has_oldest else 0.0,
        "publishers": len(status.consumers),
        "subscription_backlog": status.published_after,
        "newest_document_time": newest["create_time"].isoformat() if newest else None,
        "delivery_s": _seconds(newest["create_time"], newest["written_time"]) if newest else None,
        "dead_letters": letters,
    }


def _seconds(start: datetime, end: datetime) -> float:
    return round(max(0.0, (end - start).total_seconds()), 3)
