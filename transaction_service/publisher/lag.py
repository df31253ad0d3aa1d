"""How far the publishers, all of them, are behind the ledger."""

from collections.abc import Callable

from privy.wallet.v1.feed_pb2 import GetFeedStatusResponse

from shared.errors import Unavailable
from shared.telemetry import Metrics
from transaction_service.publisher.feed import Feed

MAX_LAG_S = 60.0


class Lag:
    """Read every few seconds by the health service, which so tells it as a dependency."""

    def __init__(self, feed: Feed, clock: Callable[[], float], metrics: Metrics) -> None:
        """`clock` tells the seconds since 1970."""
        self._feed = feed
        self._clock = clock
        self._metrics = metrics

    async def probe(self) -> None:
        """Measure, and raise if an event has waited for more than a minute."""
        status = await self._feed.status()
        lag_s = self._lag_s(status)
        self._metrics.gauge("feed_backlog", status.backlog)
        self._metrics.gauge("feed_lag_s", lag_s)
        if lag_s > MAX_LAG_S:
            raise Unavailable("FEED_LAGS", f"the oldest event has waited for {lag_s:.0f} s")

    def _lag_s(self, status: GetFeedStatusResponse) -> float:
        if not status.HasField("oldest_create_time"):
            return 0.0
        return max(0.0, self._clock() - status.oldest_create_time.ToMicroseconds() / 1e6)
