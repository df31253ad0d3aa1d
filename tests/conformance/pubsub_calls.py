"""Calls of Google's Pub/Sub clients, as the tests make them."""

import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, cast

import grpc
from google.cloud import pubsub_v1  # type: ignore[attr-defined] # It says nothing of types.
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import PubsubMessage, ReceivedMessage

WITHIN_S = 5.0
TIMEOUT_S = 10.0


class PubSub:
    """Google's clients of one emulator, and topics and subscriptions that no other test uses."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self.project = f"projects/test-{uuid.uuid4().hex[:8]}"
        self.publisher = PublisherClient(transport=PublisherGrpcTransport(channel=self._channel))
        self.subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=self._channel))
        # The same calls, with threads that take messages and hand them to a callback.
        self.listener = pubsub_v1.SubscriberClient(
            transport=SubscriberGrpcTransport(channel=self._channel)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._channel.close()

    def name(self, collection: str) -> str:
        """Make up a name of `topics` or `subscriptions` that nobody has yet."""
        return f"{self.project}/{collection}/test-{uuid.uuid4().hex}"

    def topic(self) -> str:
        """Create a topic."""
        return self.publisher.create_topic(name=self.name("topics"), timeout=TIMEOUT_S).name

    def subscription(self, topic: str, **settings: Any) -> str:
        """Create a subscription of `topic`."""
        request = {"name": self.name("subscriptions"), "topic": topic, **settings}
        return self.subscriber.create_subscription(request=request, timeout=TIMEOUT_S).name

    def publish(self, topic: str, *messages: PubsubMessage) -> Sequence[str]:
        """Publish messages in one request; answer their ids."""
        response = self.publisher.publish(topic=topic, messages=list(messages), timeout=TIMEOUT_S)
        return list(response.message_ids)

    def pull(self, subscription: str, count: int) -> list[ReceivedMessage]:
        """Take messages until there are `count`, which must not take long."""
        received: list[ReceivedMessage] = []

        def complete() -> bool:
            received.extend(self.pull_now(subscription, count - len(received)))
            return len(received) >= count

        eventually(complete, lambda: f"{count} messages, got {bodies(received)}")
        return received

    def pull_now(self, subscription: str, limit: int = 100) -> Sequence[ReceivedMessage]:
        """Take what there is to take at this moment."""
        with warnings.catch_warnings():
            # Deprecated, since real subscribers should rather wait.
            warnings.filterwarnings("ignore", "The return_immediately flag", DeprecationWarning)
            response = self.subscriber.pull(
                request={
                    "subscription": subscription,
                    "max_messages": limit,
                    "return_immediately": True,
                },
                timeout=TIMEOUT_S,
            )
        return list(response.received_messages)

    def acknowledge(self, subscription: str, *received: ReceivedMessage) -> None:
        ack_ids = [each.ack_id for each in received]
        self.subscriber.acknowledge(subscription=subscription, ack_ids=ack_ids, timeout=TIMEOUT_S)

    def extend(self, subscription: str, seconds: int, *received: ReceivedMessage) -> None:
        """Let the messages' ack deadline end so many seconds from now."""
        self.subscriber.modify_ack_deadline(
            subscription=subscription,
            ack_ids=[each.ack_id for each in received],
            ack_deadline_seconds=seconds,
            timeout=TIMEOUT_S,
        )

    def reject(self, subscription: str, *received: ReceivedMessage) -> None:
        """Give the messages back as failed."""
        self.extend(subscription, 0, *received)


def eventually(
    holds: Callable[[], bool], what: Callable[[], str], within_s: float = WITHIN_S
) -> None:
    """Wait until a condition holds; fail with what was waited for."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what()}"
        time.sleep(0.02)


def message(body: str, key: str = "", **attributes: str) -> PubsubMessage:
    return PubsubMessage(data=body.encode(), ordering_key=key, attributes=attributes)


def bodies(received: Iterable[ReceivedMessage]) -> list[str]:
    return [each.message.data.decode() for each in received]


def published_at(received: ReceivedMessage) -> datetime:
    # The client's stubs promise the protobuf message that it wraps.
    return cast(datetime, received.message.publish_time)
