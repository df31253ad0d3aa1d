"""The publisher between a feed and Pub/Sub, both real servers."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import grpc
from google.pubsub_v1.types import PubsubMessage
from privy.erp.v1.event_pb2 import CostRevenueEvent
from privy.wallet.v1 import feed_pb2, feed_pb2_grpc

from devstack.services import ROLES, service
from tests.event_servers import (
    EventServers,
    Project,
    eventually,
    serves,
    until,
    until_not_serving,
    until_serving,
)
from tests.finance_events import finance_event
from tests.publishers import ids_by_wallet, publishing, serving, settings_of

WALLETS = ("wal_1", "wal_2", "wal_3")


@dataclass
class Feed(feed_pb2_grpc.EventFeedServiceServicer):
    """A feed in memory, true to the contract for one consumer."""

    events: list[feed_pb2.FeedEvent] = field(default_factory=list)
    pulls: int = 0
    acknowledged: list[str] = field(default_factory=list)
    acknowledgements_to_miss: int = 0
    acknowledging: asyncio.Event = field(default_factory=asyncio.Event)
    released: list[str] = field(default_factory=list)
    _committed: asyncio.Event = field(default_factory=asyncio.Event)

    def commit(self, *events: feed_pb2.FeedEvent) -> None:
        self.events += events
        self._committed.set()

    async def PullEvents(  # noqa: N802 (the contract's name)
        self,
        request: feed_pb2.PullEventsRequest,
        context: "grpc.aio.ServicerContext[object, object]",  # noqa: ARG002
    ) -> feed_pb2.PullEventsResponse:
        self.pulls += 1
        with suppress(TimeoutError):
            async with asyncio.timeout(request.wait.ToTimedelta().total_seconds()):
                await self._committed.wait()
        return feed_pb2.PullEventsResponse(events=self.events[: request.max_events])

    async def AcknowledgeEvents(  # noqa: N802 (the contract's name)
        self,
        request: feed_pb2.AcknowledgeEventsRequest,
        context: "grpc.aio.ServicerContext[object, object]",
    ) -> feed_pb2.AcknowledgeEventsResponse:
        self.acknowledging.set()
        if self.acknowledgements_to_miss:
            self.acknowledgements_to_miss -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the database is away")
        done = set(request.transaction_ids)
        self.events = [each for each in self.events if each.transaction_id not in done]
        self.acknowledged += request.transaction_ids
        if not self.events:
            self._committed.clear()
        return feed_pb2.AcknowledgeEventsResponse()

    async def ReleaseEvents(  # noqa: N802 (the contract's name)
        self,
        request: feed_pb2.ReleaseEventsRequest,
        context: "grpc.aio.ServicerContext[object, object]",  # noqa: ARG002
    ) -> feed_pb2.ReleaseEventsResponse:
        self.released.append(request.consumer_id)
        return feed_pb2.ReleaseEventsResponse()

    async def GetFeedStatus(  # noqa: N802 (the contract's name)
        self,
        request: feed_pb2.GetFeedStatusRequest,  # noqa: ARG002
        context: "grpc.aio.ServicerContext[object, object]",  # noqa: ARG002
    ) -> feed_pb2.GetFeedStatusResponse:
        status = feed_pb2.GetFeedStatusResponse(backlog=len(self.events))
        if self.events:
            status.oldest_create_time.CopyFrom(self.events[0].create_time)
        return status


def _committed(number: int) -> feed_pb2.FeedEvent:
    event = finance_event("")
    event.ClearField("create_time")
    event.ClearField("effective_time")
    wallet_id = WALLETS[number % len(WALLETS)]
    committed = feed_pb2.FeedEvent(
        transaction_id=f"txn_{number:06}", wallet_id=wallet_id, payload=event.SerializeToString()
    )
    committed.create_time.FromSeconds(1_800_000_000 + number)
    committed.effective_time.FromSeconds(1_700_000_000 + number)
    return committed


def _assert_all_came_in_order(messages: Sequence[PubsubMessage], count: int) -> None:
    committed = [_committed(number) for number in range(count)]
    assert ids_by_wallet(messages) == {
        wallet_id: [each.transaction_id for each in committed if each.wallet_id == wallet_id]
        for wallet_id in WALLETS
    }


async def test_events_are_published_complete_and_in_order_then_acknowledged(
    servers: EventServers, pubsub: Project
) -> None:
    """More than two pulls' worth: each wallet's events come in its order, once, and leave.

    A publisher that ends leaves its share of the feed to the others.
    """
    feed, count = Feed(), 1_100
    feed.commit(*(_committed(number) for number in range(count)))
    async with serving(feed) as target, publishing(settings_of(servers, pubsub, target)):
        await eventually(lambda: len(feed.acknowledged) == count, "every event is acknowledged")
        messages = await pubsub.take(pubsub.topology.events_subscription, count)
    assert len(messages) == count
    _assert_all_came_in_order(messages, count)
    assert len(feed.released) == 1  # By the publisher, as it ended.
    event = CostRevenueEvent.FromString(messages[0].data)
    committed = _committed(int(event.transaction_id.removeprefix("txn_")))
    assert event.create_time == committed.create_time
    assert event.effective_time == committed.effective_time


async def test_nothing_is_acknowledged_before_it_is_published(
    servers: EventServers, pubsub: Project
) -> None:
    """While Pub/Sub is away events are only pulled; once it is back they are published."""
    feed = Feed()
    feed.commit(_committed(9))
    async with serving(feed) as target:
        settings = settings_of(servers, pubsub, target)
        async with publishing(settings):
            await eventually(lambda: not feed.events, "the publisher is at work")
            await servers.end("pubsub")
            feed.commit(*(_committed(number) for number in range(3)))
            pulls = feed.pulls
            await eventually(lambda: feed.pulls >= pulls + 3, "the publisher tries again")
            assert feed.acknowledged == ["txn_000009"]
            await until_not_serving(settings.publisher_listen)
            await servers.start("pubsub")
            await eventually(lambda: not feed.events, "every event is acknowledged")
            await until_serving(settings.publisher_listen)
    messages = await pubsub.take(pubsub.topology.events_subscription, 3)
    _assert_all_came_in_order(messages, count=3)


async def test_health_tells_of_an_event_that_waits_for_long(
    servers: EventServers, pubsub: Project
) -> None:
    """While the oldest is older than a minute, `feed_lag` does not serve; the process does."""
    feed = Feed(acknowledgements_to_miss=sys.maxsize)
    late = _committed(0)
    late.create_time.FromSeconds(1_500_000_000)
    feed.commit(late)
    async with serving(feed) as target:
        settings = settings_of(servers, pubsub, target)
        async with publishing(settings):
            await until_serving(settings.publisher_listen)
            assert not await serves(settings.publisher_listen, "feed_lag")
            feed.acknowledgements_to_miss = 0
            await until(partial(serves, settings.publisher_listen, "feed_lag"), "nothing waits")


async def test_a_missed_acknowledgement_publishes_again(
    servers: EventServers, pubsub: Project
) -> None:
    """At least once: what the feed did not hear of is published anew, still in order."""
    feed = Feed(acknowledgements_to_miss=2)
    feed.commit(*(_committed(number) for number in range(6)))
    async with serving(feed) as target, publishing(settings_of(servers, pubsub, target)):
        await eventually(lambda: not feed.events, "every event is acknowledged")
    messages = await pubsub.take(pubsub.topology.events_subscription, 6)
    while len(messages) < 3 * 6:
        messages += await pubsub.pull(pubsub.topology.events_subscription)
    assert len(messages) == 3 * 6
    _assert_all_came_in_order(messages, count=6)


async def test_a_payload_that_is_no_event_does_not_stop_the_feed(
    servers: EventServers, pubsub: Project
) -> None:
    """It goes on its way as it is, and so do those behind it."""
    feed = Feed()
    poison = _committed(0)
    poison.payload = b"\xff"
    feed.commit(poison, _committed(1))
    async with serving(feed) as target, publishing(settings_of(servers, pubsub, target)):
        messages = await pubsub.take(pubsub.topology.events_subscription, 2)
        await eventually(lambda: not feed.events, "every event is acknowledged")
    assert {each.attributes["ce-id"]: each.data == b"\xff" for each in messages} == {
        "txn_000000": True,
        "txn_000001": False,
    }


async def test_death_before_the_acknowledgement_loses_nothing(
    servers: EventServers, pubsub: Project
) -> None:
    """Killed with events published and not acknowledged, the next process goes on from there.

    Told to end, it ends with success.
    """
    feed, count = Feed(acknowledgements_to_miss=sys.maxsize), 2_500
    feed.commit(*(_committed(number) for number in range(count)))
    async with serving(feed) as target:
        environment = {
            **servers.environment,
            "WALLET_TARGET": target,
            "GOOGLE_CLOUD_PROJECT": pubsub.name,
        }
        listen = f"127.0.0.1:{servers.ports.take()}"
        process = service("publisher", ROLES["publisher"], environment, listen)
        await servers.children.serve(process)
        await eventually(feed.acknowledging.is_set, "the first events are published")
        await asyncio.to_thread(servers.children.end, "publisher", signal.SIGKILL)
        assert len(feed.events) == count
        feed.acknowledgements_to_miss = 0
        await servers.children.serve(process)
        await eventually(lambda: not feed.events, "every event is acknowledged")
        assert await asyncio.to_thread(servers.children.end, "publisher", signal.SIGTERM) == 0
    messages = await pubsub.take(pubsub.topology.events_subscription, count)
    assert len(messages) > count
    _assert_all_came_in_order(messages, count)
