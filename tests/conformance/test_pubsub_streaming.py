"""Streaming pull: messages come by themselves, as many as the client can hold."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from google.api_core.exceptions import NotFound
from google.cloud.pubsub_v1.subscriber.message import Message  # type: ignore[import-untyped]
from google.cloud.pubsub_v1.types import FlowControl  # type: ignore[import-untyped]

from tests.conformance.pubsub_calls import WITHIN_S, PubSub, bodies, eventually, message
from tests.conformance.streams import ACK_DEADLINE_S, streaming


@contextmanager
def listening(
    pubsub: PubSub, subscription: str, callback: Callable[[Message], None], limit: int = 1_000
) -> Iterator[None]:
    """Let Google's client take messages until the block ends."""
    future = pubsub.listener.subscribe(
        subscription,
        callback,
        flow_control=FlowControl(max_messages=limit),
        await_callbacks_on_shutdown=True,
    )
    try:
        yield
    finally:
        future.cancel()
        future.result(timeout=WITHIN_S)


def test_a_callback_gets_every_message_once(pubsub: PubSub) -> None:
    """All that is published before and while the client listens arrives, and is settled."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    taken: list[str] = []

    def take(received: Message) -> None:
        taken.append(received.data.decode())
        received.ack()

    pubsub.publish(topic, *(message(f"before {number}") for number in range(100)))
    with listening(pubsub, subscription, take):
        pubsub.publish(topic, *(message(f"while {number}") for number in range(100)))
        eventually(lambda: len(taken) >= 200, lambda: f"200 messages, got {len(taken)}")

    assert len(taken) == len(set(taken)) == 200
    assert not pubsub.pull_now(subscription)


@pytest.mark.google_differs("redelivers the messages of a key out of order")
def test_a_callback_that_fails_gets_the_key_again_in_order(pubsub: PubSub) -> None:
    """After a failure in the middle of a key, all from there on comes again in order."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, enable_message_ordering=True)
    pubsub.publish(topic, *(message(body, "key") for body in "abcde"))
    taken: list[str] = []

    def take(received: Message) -> None:
        fails = received.data == b"c" and "c" not in taken
        taken.append(received.data.decode())
        received.nack() if fails else received.ack()

    with listening(pubsub, subscription, take):
        eventually(lambda: taken.count("e") == 2, lambda: f"the last message twice, got {taken}")

    assert "".join(taken) == "abcdecde"


@pytest.mark.google_differs("sends as if a stream had no limits")
def test_a_stream_gets_no_more_than_it_can_hold(pubsub: PubSub) -> None:
    """At the limit of outstanding messages nothing comes until some are settled."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, *(message(f"body {number}") for number in range(20)))

    with streaming(pubsub, subscription, limit=5) as stream:
        stream.wait_for(5)
        others = pubsub.pull(subscription, 15)
        pubsub.reject(subscription, *others)
        assert len(stream.received) == 5

        pubsub.acknowledge(subscription, *stream.received[:3])
        stream.wait_for(8)
        pubsub.reject(subscription, *stream.received[3:5])
        stream.wait_for(10)
        assert len(stream.received) == 10


def test_streams_share_the_messages(pubsub: PubSub) -> None:
    """Two streams of one subscription get every message once between them."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)

    with streaming(pubsub, subscription) as one, streaming(pubsub, subscription) as other:

        def received() -> list[str]:
            return bodies([*one.received, *other.received])

        for start in range(0, 100, 10):
            pubsub.publish(topic, *(message(f"body {start + number}") for number in range(10)))
        eventually(lambda: len(received()) >= 100, lambda: f"100 messages, got {received()}")

    assert len(received()) == len(set(received())) == 100


def test_what_a_lost_stream_held_comes_back(pubsub: PubSub) -> None:
    """When a client is gone, its messages go to another one after their deadline.

    Or after one more: Google's emulator, if it is slow to see the stream end, sends them there
    once again.
    """
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, message("body"))

    with streaming(pubsub, subscription) as lost:
        lost.wait_for(1)
    pubsub.extend(subscription, 1, *lost.received)

    with streaming(pubsub, subscription) as other:
        other.wait_for(1, within_s=ACK_DEADLINE_S + WITHIN_S)
        assert bodies(other.received) == ["body"]


def test_a_stream_ends_with_its_subscription(pubsub: PubSub) -> None:
    """A client that listens when its subscription is deleted learns that it is not found."""
    subscription = pubsub.subscription(pubsub.topic())
    future = pubsub.listener.subscribe(subscription, lambda _: None)

    pubsub.subscriber.delete_subscription(subscription=subscription)

    with pytest.raises(NotFound):
        future.result(timeout=WITHIN_S)


def test_a_stream_of_nothing_is_not_found(pubsub: PubSub) -> None:
    """Listening to a subscription that does not exist fails."""
    future = pubsub.listener.subscribe(pubsub.name("subscriptions"), lambda _: None)

    with pytest.raises(NotFound):
        future.result(timeout=WITHIN_S)
