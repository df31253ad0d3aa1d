"""The topic that the events are published to."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from privy.wallet.v1.feed_pb2 import FeedEvent

from shared.finance_settings import Topology
from transaction_service.chart_of_accounts import ChartOfAccounts
from transaction_service.publisher.messages import lanes_of
from transaction_service.publisher.sending import PUBLISH_TIMEOUT_S, Sender
from transaction_service.topology import PubSub, ensure_topology

MAX_CONCURRENT_REQUESTS = 64
PROBE_TIMEOUT_S = 2.0


class Topic:
    """Publishes events in order. Every call raises `GoogleAPICallError` or `AioRpcError`."""

    def __init__(self, topology: Topology, pubsub: PubSub, chart: ChartOfAccounts) -> None:
        self._topology = topology
        self._pubsub = pubsub
        self._sender = Sender(pubsub.publisher)
        self._chart = chart
        self._ensured = False

    async def ensure(self) -> None:
        """Create the topology unless it was there when last seen."""
        if not self._ensured:
            await ensure_topology(self._topology, self._pubsub)
            self._ensured = True

    async def publish(self, events: Sequence[FeedEvent]) -> None:
        """Return when Pub/Sub has all of `events` durably; after an error it may have some.

        Takes 5 s at most, all requests of a round together, else raises `TimeoutError`.
        """
        self._ensured = False
        lanes = iter(lanes_of(self._topology.events_topic, events, self._chart))
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S), asyncio.TaskGroup() as tasks:
                for _ in range(MAX_CONCURRENT_REQUESTS):
                    tasks.create_task(self._publish_lanes(lanes))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # The others failed for the same reason.
        self._ensured = True

    async def _publish_lanes(self, lanes: Iterator[list[Any]]) -> None:
        """Take lane after lane until none is left; others take from the same `lanes`."""
        for lane in lanes:
            for request in lane:
                # One after the other: two requests under way could land in either order.
                await self._sender.send(request)

    async def probe(self) -> None:
        """Raise unless Pub/Sub answers and the topic is there."""
        await self._pubsub.publisher.get_topic(
            topic=self._topology.events_topic, timeout=PROBE_TIMEOUT_S, retry=None
        )
