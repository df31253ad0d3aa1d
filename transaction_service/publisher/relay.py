"""Moves events from the Wallet's feed to the topic, for as long as the process lives."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress

import grpc
import structlog
from privy.wallet.v1.feed_pb2 import PullEventsResponse

from shared.errors import Unavailable
from shared.telemetry import Metrics
from transaction_service.publisher.feed import Feed
from transaction_service.publisher.topic import Topic

MAX_LAG_S = 60.0

_log = structlog.get_logger()


class Relay:
    """Publishes at least once, each wallet's events in the order of the feed.

    One round pulls, publishes, and acknowledges, in this order: an event leaves the feed only
    when Pub/Sub has it durably, so death at any moment loses nothing. A round at a time, since
    the feed answers the same events until they are acknowledged, and gives others a part of our
    share when we pull.
    """

    def __init__(
        self,
        feed: Feed,
        topic: Topic,
        backoff: Callable[[], Iterator[float]],
        clock: Callable[[], float],
        metrics: Metrics,
    ) -> None:
        """`backoff` starts a row of delays in seconds; `clock` tells the seconds since 1970."""
        self._feed = feed
        self._topic = topic
        self._backoff = backoff
        self._clock = clock
        self._metrics = metrics
        self._lag_s = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until `stop` is set, then end after the round under way (seconds at most)."""
        delays_s = self._backoff()
        while not stop.is_set():
            try:
                # A task of its own: before Python 3.11.4, one in which a TaskGroup has failed
                # counts as cancelled for good, and its next timeout would end it silently.
                await asyncio.create_task(self._round())
                delays_s = self._backoff()
            except Exception as error:  # noqa: BLE001 (whatever it was, the events are in the feed)
                delay_s = next(delays_s)
                _log.warning("round failed", error=repr(error), retry_in_s=round(delay_s, 2))
                await _pause(stop, delay_s)
        await self._leave()

    async def _leave(self) -> None:
        try:
            await self._feed.release()
        except grpc.aio.AioRpcError as error:
            _log.warning("the share was not released; it runs out", error=repr(error))

    async def probe_lag(self) -> None:
        """Raise if events waited for more than a minute when the feed was last read."""
        if self._lag_s > MAX_LAG_S:
            raise Unavailable("FEED_LAGS", f"the oldest event waited for {self._lag_s:.0f} s")

    async def _round(self) -> None:
        pulled = await self._feed.pull()
        self._report(pulled)
        await self._topic.ensure()
        if pulled.events:
            await self._topic.publish(pulled.events)
            await self._feed.acknowledge(pulled.events)
            self._metrics.increment("events_published", len(pulled.events))

    def _report(self, pulled: PullEventsResponse) -> None:
        lag_s = 0.0
        if pulled.HasField("oldest_create_time"):
            lag_s = self._clock() - pulled.oldest_create_time.ToMicroseconds() / 1e6
        self._lag_s = max(lag_s, 0.0)
        self._metrics.gauge("feed_lag_s", self._lag_s)
        self._metrics.gauge("feed_backlog", pulled.backlog)


async def _pause(stop: asyncio.Event, delay_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(delay_s):
            await stop.wait()
