"""The gRPC services of Pub/Sub, over a broker."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress

from google.protobuf.empty_pb2 import Empty

from devstack.emulators.clock import Clock
from devstack.emulators.paging import page_of
from devstack.emulators.pubsub import wire
from devstack.emulators.pubsub.broker import Broker
from devstack.emulators.pubsub.checks import check_ack_deadline, invalid
from devstack.emulators.pubsub.delivery import Consumer, Lease
from devstack.emulators.pubsub.subscription import Subscription
from devstack.emulators.pubsub.wire import Wire
from devstack.emulators.serving import Context, Services, bidirectional, unary, unary_waiting

_BATCH_MESSAGES = 1_000
_LONGEST_PULL_S = 60.0
_LONGEST_EXTENSION_S = 600


def services(broker: Broker, clock: Clock) -> Services:
    publisher, subscriber = Publisher(broker, clock), Subscriber(broker, clock)
    return {
        "google.pubsub.v1.Publisher": {
            "CreateTopic": unary(wire.Topic, broker.create_topic),
            "GetTopic": unary(wire.GetTopicRequest, publisher.get_topic),
            "ListTopics": unary(wire.ListTopicsRequest, publisher.list_topics),
            "ListTopicSubscriptions": unary(
                wire.ListTopicSubscriptionsRequest, publisher.list_topic_subscriptions
            ),
            "DeleteTopic": unary(wire.DeleteTopicRequest, publisher.delete_topic),
            "Publish": unary(wire.PublishRequest, publisher.publish),
        },
        "google.pubsub.v1.Subscriber": {
            "CreateSubscription": unary(wire.Subscription, broker.create_subscription),
            "GetSubscription": unary(wire.GetSubscriptionRequest, subscriber.get_subscription),
            "UpdateSubscription": unary(
                wire.UpdateSubscriptionRequest, subscriber.update_subscription
            ),
            "ListSubscriptions": unary(
                wire.ListSubscriptionsRequest, subscriber.list_subscriptions
            ),
            "DeleteSubscription": unary(
                wire.DeleteSubscriptionRequest, subscriber.delete_subscription
            ),
            "Acknowledge": unary(wire.AcknowledgeRequest, subscriber.acknowledge),
            "ModifyAckDeadline": unary(
                wire.ModifyAckDeadlineRequest, subscriber.modify_ack_deadline
            ),
            "Pull": unary_waiting(wire.PullRequest, subscriber.pull),
            "StreamingPull": bidirectional(wire.StreamingPullRequest, subscriber.streaming_pull),
            "Seek": unary(wire.SeekRequest, subscriber.seek),
        },
    }


class Publisher:
    def __init__(self, broker: Broker, clock: Clock) -> None:
        self._broker = broker
        self._clock = clock

    def publish(self, request: Wire) -> Wire:
        ids = self._broker.publish(request.topic, request.messages, self._clock())
        return wire.PublishResponse(message_ids=ids)

    def get_topic(self, request: Wire) -> Wire:
        return self._broker.topic(request.topic)

    def list_topics(self, request: Wire) -> Wire:
        names = self._broker.topics(request.project)
        page, token = page_of(names, request.page_size, request.page_token)
        topics = [self._broker.topic(name) for name in page]
        return wire.ListTopicsResponse(topics=topics, next_page_token=token)

    def list_topic_subscriptions(self, request: Wire) -> Wire:
        names = self._broker.subscriptions_of(request.topic)
        page, token = page_of(names, request.page_size, request.page_token)
        return wire.ListTopicSubscriptionsResponse(subscriptions=page, next_page_token=token)

    def delete_topic(self, request: Wire) -> Empty:
        self._broker.delete_topic(request.topic)
        return Empty()


class Subscriber:
    def __init__(self, broker: Broker, clock: Clock) -> None:
        self._broker = broker
        self._clock = clock

    def get_subscription(self, request: Wire) -> Wire:
        return self._broker.subscription(request.subscription).settings

    def update_subscription(self, request: Wire) -> Wire:
        return self._broker.update_subscription(request.subscription, request.update_mask)

    def list_subscriptions(self, request: Wire) -> Wire:
        names = self._broker.subscriptions(request.project)
        page, token = page_of(names, request.page_size, request.page_token)
        found = [self._broker.subscription(name).settings for name in page]
        return wire.ListSubscriptionsResponse(subscriptions=found, next_page_token=token)

    def delete_subscription(self, request: Wire) -> Empty:
        self._broker.delete_subscription(request.subscription)
        return Empty()

    def acknowledge(self, request: Wire) -> Empty:
        subscription = self._broker.subscription(request.subscription)
        subscription.acknowledge(request.ack_ids, self._clock())
        return Empty()

    def modify_ack_deadline(self, request: Wire) -> Empty:
        subscription = self._broker.subscription(request.subscription)
        self._modify(subscription, request.ack_ids, request.ack_deadline_seconds)
        return Empty()

    def seek(self, request: Wire) -> Wire:
        if not request.HasField("time"):
            raise invalid("This stand-in keeps no snapshots: seek to a time")
        self._broker.subscription(request.subscription).seek(request.time.ToNanoseconds())
        return wire.SeekResponse()

    async def pull(self, request: Wire, context: Context) -> Wire:
        """Answer what there is, or wait for the first message until the caller's patience ends."""
        if request.max_messages <= 0:
            raise invalid("No max_messages specified")
        subscription = self._broker.subscription(request.subscription)
        consumer = Consumer(subscription.settings.ack_deadline_seconds)
        leases: list[Lease] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(0 if request.return_immediately else _patience_s(context)):
                while not (
                    leases := subscription.take(consumer, request.max_messages, self._clock())
                ):
                    await subscription.bell.wait()
        response = wire.PullResponse()
        _fill(response, subscription, leases)
        return response

    async def streaming_pull(self, requests: AsyncIterator[Wire], context: Context) -> None:
        """Send messages as they come, until the client hangs up or the subscription ends."""
        first = await anext(requests, None)
        if first is None:
            return
        subscription = self._broker.subscription(first.subscription)
        check_ack_deadline(first.stream_ack_deadline_seconds)
        consumer = Consumer(
            first.stream_ack_deadline_seconds,
            first.max_outstanding_messages,
            first.max_outstanding_bytes,
        )
        listening = asyncio.create_task(self._listen(requests, subscription, consumer))
        listening.add_done_callback(lambda _: subscription.bell.ring())
        try:
            while not listening.done():
                if leases := subscription.take(consumer, _BATCH_MESSAGES, self._clock()):
                    await context.write(_streamed(subscription, leases))
                else:
                    await subscription.bell.wait()
            listening.result()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(
        self, requests: AsyncIterator[Wire], subscription: Subscription, consumer: Consumer
    ) -> None:
        """Do what a client asks for on its stream; most ask by calls of their own instead."""
        async for request in requests:
            if request.stream_ack_deadline_seconds:
                consumer.ack_deadline_s = request.stream_ack_deadline_seconds
            subscription.acknowledge(request.ack_ids, self._clock())
            for ack_id, seconds in zip(
                request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True
            ):
                self._modify(subscription, [ack_id], seconds)

    def _modify(self, subscription: Subscription, ack_ids: Sequence[str], seconds: int) -> None:
        if not 0 <= seconds <= _LONGEST_EXTENSION_S:
            raise invalid(f"The ack deadline must be 0 to 600 seconds, not {seconds}")
        subscription.modify_deadline(ack_ids, seconds, self._clock())


def _patience_s(context: Context) -> float:
    remaining_s = context.time_remaining()
    return _LONGEST_PULL_S if remaining_s is None else min(_LONGEST_PULL_S, 0.9 * remaining_s)


def _streamed(subscription: Subscription, leases: Iterable[Lease]) -> Wire:
    response = wire.StreamingPullResponse()
    properties = response.subscription_properties
    properties.exactly_once_delivery_enabled = subscription.settings.enable_exactly_once_delivery
    properties.message_ordering_enabled = subscription.settings.enable_message_ordering
    _fill(response, subscription, leases)
    return response


def _fill(response: Wire, subscription: Subscription, leases: Iterable[Lease]) -> None:
    counts_attempts = subscription.settings.HasField("dead_letter_policy")
    for lease in leases:
        response.received_messages.add(
            ack_id=subscription.ack_id(lease.number),
            message=lease.message.published,
            delivery_attempt=lease.message.failures + 1 if counts_attempts else 0,
        )
