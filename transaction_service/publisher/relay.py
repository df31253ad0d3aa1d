"""Moves events from the Wallet's feed to the topic, for as long as the process lives."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress

import grpc
import structlog

from shared.telemetry import Metrics
from transaction_service.publisher.feed import Feed
from transaction_service.publisher.topic import Topic

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
        metrics: Metrics,
    ) -> None:
        """`backoff` starts a row of delays in seconds."""
        self._feed = feed
        self._topic = topic
        self._backoff = backoff
        self._metrics = metrics

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

    async def _round(self) -> None:
        pulled = await self._feed.pull()
        await self._topic.ensure()
        if pulled.events:
            await self._topic.publish(pulled.events)
            await self._feed.acknowledge(pulled.events)
            self._metrics.increment("events_published", len(pulled.events))


async def _pause(stop: asyncio.Event, delay_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(delay_s):
            await stop.wait()
