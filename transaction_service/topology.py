"""Pub/Sub as publisher and sink use it: its clients, and the topics and subscriptions between them.

Publisher and sink both ensure them before they work, so that either may start first: what is
published to a topic without a subscription is lost.

In production Google's own service account
(`service-{project_number}@gcp-sa-pubsub.iam.gserviceaccount.com`) needs
`roles/pubsub.publisher` on the dead-letter topic and `roles/pubsub.subscriber` on the events'
subscription, or the dead-letter policy does nothing.
"""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import grpc
from google.api_core.exceptions import AlreadyExists
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PublisherAsyncClient, SubscriberAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport
from google.pubsub_v1.types import (
    DeadLetterPolicy,
    ExpirationPolicy,
    RetryPolicy,
    Subscription,
    Topic,
)

from shared.finance_settings import Topology

# After the sink dies, so long until its messages are delivered again. Living, it renews its leases.
ACK_DEADLINE_S = 10
ADMIN_TIMEOUT_S = 10.0

# Pub/Sub's maximum. The sink dead-letters what it cannot take by itself, at once and with its
# reason, and keeps its leases while Firestore is away; this policy is the last resort, for an
# event that keeps killing the sink, and must not fire because of a few restarts.
MAX_DELIVERY_ATTEMPTS = 100

# Pub/Sub's maximum of a topic: so long a dead letter that nobody looked at can be had back by
# seeking its subscription, whose own backlog forgets after 7 days. (A subscription could keep
# 31 days too, but Google's emulator refuses that.)
DEAD_LETTER_RETENTION_S = 31 * 24 * 3600

# gRPC by itself waits up to two minutes before it looks for a restarted server again.
EMULATOR_CHANNEL = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


@dataclass(frozen=True, slots=True)
class PubSub:
    publisher: PublisherAsyncClient
    subscriber: SubscriberAsyncClient


@asynccontextmanager
async def open_pubsub(emulator_host: str) -> AsyncIterator[PubSub]:
    """Open clients of the emulator at `emulator_host` (`host:port`), or, if empty, of Google's."""
    if not emulator_host:
        async with PublisherAsyncClient() as publisher, SubscriberAsyncClient() as subscriber:
            yield PubSub(publisher, subscriber)
        return
    async with grpc.aio.insecure_channel(emulator_host, options=EMULATOR_CHANNEL) as channel:
        yield PubSub(
            PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel)),
            SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel)),
        )


async def ensure_topology(topology: Topology, pubsub: PubSub) -> None:
    """Create what is missing; what is there stays as it is, also if it is set up otherwise.

    Safe to repeat and to run at the same time as another process. Raises `GoogleAPICallError`.
    """
    for topic in (_dead_letter_topic(topology), Topic(name=topology.events_topic)):
        await _created(
            pubsub.publisher.create_topic(request=topic, timeout=ADMIN_TIMEOUT_S, retry=None)
        )
    for subscription in (_dead_letter_subscription(topology), _events_subscription(topology)):
        await _created(
            pubsub.subscriber.create_subscription(
                request=subscription, timeout=ADMIN_TIMEOUT_S, retry=None
            )
        )


async def _created(creation: Awaitable[object]) -> None:
    with suppress(AlreadyExists):
        await creation


def _events_subscription(topology: Topology) -> Subscription:
    return Subscription(
        name=topology.events_subscription,
        topic=topology.events_topic,
        ack_deadline_seconds=ACK_DEADLINE_S,
        enable_message_ordering=True,
        dead_letter_policy=DeadLetterPolicy(
            dead_letter_topic=topology.dead_letter_topic,
            max_delivery_attempts=MAX_DELIVERY_ATTEMPTS,
        ),
        retry_policy=RetryPolicy(
            minimum_backoff=Duration(seconds=1), maximum_backoff=Duration(seconds=60)
        ),
        expiration_policy=ExpirationPolicy(),  # Never, not after 31 idle days.
    )


def _dead_letter_topic(topology: Topology) -> Topic:
    return Topic(
        name=topology.dead_letter_topic,
        message_retention_duration=Duration(seconds=DEAD_LETTER_RETENTION_S),
    )


def _dead_letter_subscription(topology: Topology) -> Subscription:
    return Subscription(
        name=topology.dead_letter_subscription,
        topic=topology.dead_letter_topic,
        ack_deadline_seconds=ACK_DEADLINE_S,
        expiration_policy=ExpirationPolicy(),
    )
