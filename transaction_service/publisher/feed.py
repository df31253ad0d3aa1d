"""The Wallet's feed of committed events, as this process sees it."""

from collections.abc import Sequence

import grpc
from google.protobuf.duration_pb2 import Duration
from privy.wallet.v1 import feed_pb2, feed_pb2_grpc

# The Wallet gives our shards to somebody else after 10 s of silence. A round's publishing (5 s at
# most) and acknowledgement together must not take so long, or its events are published twice.
WAIT_S = 1
CALL_TIMEOUT_S = 4.0
MAX_EVENTS = 1_000


class Feed:
    """Reads and empties the feed. Every call raises `grpc.aio.AioRpcError`."""

    def __init__(self, channel: grpc.aio.Channel, consumer_id: str) -> None:
        self._stub: feed_pb2_grpc.EventFeedServiceAsyncStub = feed_pb2_grpc.EventFeedServiceStub(
            channel
        )
        self._consumer_id = consumer_id

    async def pull(self) -> feed_pb2.PullEventsResponse:
        """Read the oldest events of our share; waits a moment for the first.

        Whatever was pulled before may from now on be another publisher's, unless acknowledged.
        """
        return await self._stub.PullEvents(
            feed_pb2.PullEventsRequest(
                consumer_id=self._consumer_id,
                max_events=MAX_EVENTS,
                wait=Duration(seconds=WAIT_S),
            ),
            timeout=WAIT_S + CALL_TIMEOUT_S,
        )

    async def acknowledge(self, events: Sequence[feed_pb2.FeedEvent]) -> None:
        """Take `events` off the feed, durably. Harmless if some are off it already."""
        await self._stub.AcknowledgeEvents(
            feed_pb2.AcknowledgeEventsRequest(
                consumer_id=self._consumer_id,
                transaction_ids=[each.transaction_id for each in events],
            ),
            timeout=CALL_TIMEOUT_S,
        )

    async def status(self) -> feed_pb2.GetFeedStatusResponse:
        """Say what waits, whoever's it is."""
        return await self._stub.GetFeedStatus(
            feed_pb2.GetFeedStatusRequest(), timeout=CALL_TIMEOUT_S
        )

    async def release(self) -> None:
        """Leave our share to the other publishers; to be called when nothing is under way."""
        await self._stub.ReleaseEvents(
            feed_pb2.ReleaseEventsRequest(consumer_id=self._consumer_id), timeout=CALL_TIMEOUT_S
        )
