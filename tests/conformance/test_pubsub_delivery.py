"""Publishing, pulling, acknowledging: a message is delivered until it is settled."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import FailedPrecondition, InvalidArgument

from tests.conformance.pubsub_calls import (
    TIMEOUT_S,
    PubSub,
    bodies,
    eventually,
    message,
    published_at,
)

SOON = timedelta(seconds=5)


def test_every_subscription_gets_the_whole_message(pubsub: PubSub) -> None:
    """Each gets body, attributes, ordering key, id and time of publication."""
    topic = pubsub.topic()
    subscriptions = [pubsub.subscription(topic) for _ in range(2)]
    before = datetime.now(UTC)

    (message_id,) = pubsub.publish(topic, message("body", "key", kind="usage"))

    for subscription in subscriptions:
        (received,) = pubsub.pull(subscription, 1)
        assert received.message.data == b"body"
        assert received.message.attributes == {"kind": "usage"}
        assert received.message.ordering_key == "key"
        assert received.message.message_id == message_id
        assert before - SOON < published_at(received) < before + SOON
        assert received.delivery_attempt == 0


def test_a_large_batch_arrives_complete(pubsub: PubSub) -> None:
    """1,000 messages of one request are each received once, under the ids of the answer."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)

    ids = pubsub.publish(topic, *(message(f"body {number}") for number in range(1_000)))
    received = pubsub.pull(subscription, 1_000)
    pubsub.acknowledge(subscription, *received)

    assert {each.message.message_id for each in received} == set(ids)
    assert len(received) == len(set(ids)) == 1_000
    assert not pubsub.pull_now(subscription)


def test_an_outstanding_message_is_nobody_elses(pubsub: PubSub) -> None:
    """While one consumer has it, no other one gets it."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, message("body"))

    pubsub.pull(subscription, 1)

    assert not pubsub.pull_now(subscription)


def test_an_acknowledged_message_does_not_come_back(pubsub: PubSub) -> None:
    """Not even when its deadline is ended afterwards, and acknowledging it again is no error."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, message("body"))
    received = pubsub.pull(subscription, 1)

    pubsub.acknowledge(subscription, *received)
    pubsub.acknowledge(subscription, *received)
    pubsub.reject(subscription, *received)

    assert not pubsub.pull_now(subscription)


def test_a_rejected_message_comes_back_at_once(pubsub: PubSub) -> None:
    """Without a retry policy it is there again, under another ack id."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, message("body"))
    (first,) = pubsub.pull(subscription, 1)

    pubsub.reject(subscription, first)
    (second,) = pubsub.pull(subscription, 1)

    assert second.message == first.message
    assert second.ack_id != first.ack_id


def test_an_unsettled_message_comes_back_after_its_deadline(pubsub: PubSub) -> None:
    """A consumer that has died keeps a message only until its ack deadline."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, message("body"))
    received = pubsub.pull(subscription, 1)
    started = time.monotonic()

    pubsub.extend(subscription, 1, *received)
    again = pubsub.pull(subscription, 1)

    assert bodies(again) == ["body"]
    assert time.monotonic() - started > 0.9


def test_an_extended_deadline_holds(pubsub: PubSub) -> None:
    """A consumer that asks for more time in time keeps its message."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, message("kept"), message("expires"))
    received = pubsub.pull(subscription, 2)
    (kept,) = (each for each in received if each.message.data == b"kept")

    pubsub.extend(subscription, 2, *received)
    pubsub.extend(subscription, 30, kept)

    assert bodies(pubsub.pull(subscription, 1)) == ["expires"]
    assert not pubsub.pull_now(subscription)


def test_a_pull_waits_for_the_first_message(pubsub: PubSub) -> None:
    """It answers as soon as something is published, well before its deadline."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    publishing = threading.Timer(0.3, pubsub.publish, (topic, message("body")))
    started = time.monotonic()

    publishing.start()
    pulled = pubsub.subscriber.pull(
        subscription=subscription, max_messages=10, timeout=TIMEOUT_S, retry=None
    )
    publishing.join()

    assert bodies(pulled.received_messages) == ["body"]
    assert time.monotonic() - started < TIMEOUT_S / 2


def test_a_pull_takes_no_more_than_it_asks_for(pubsub: PubSub) -> None:
    """max_messages is a limit, and must be given."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, *(message(f"body {number}") for number in range(10)))

    assert len(pubsub.pull_now(subscription, limit=3)) <= 3
    with pytest.raises(InvalidArgument):
        pubsub.pull_now(subscription, limit=0)


def test_what_cannot_be_published_is_refused_whole(pubsub: PubSub) -> None:
    """Empty messages, and more than 1,000 in a request: nothing of such a request arrives."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)

    with pytest.raises(InvalidArgument):
        pubsub.publish(topic, message("body"), message(""))
    with pytest.raises(InvalidArgument):
        pubsub.publish(topic, *(message("body") for _ in range(1_001)))

    assert not pubsub.pull_now(subscription)


def test_a_message_of_attributes_alone_is_published(pubsub: PubSub) -> None:
    """A body may be missing where there are attributes."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)

    pubsub.publish(topic, message("", kind="usage"))

    (received,) = pubsub.pull(subscription, 1)
    assert received.message.attributes == {"kind": "usage"}


@pytest.mark.google_differs("publishes them, which the real service does not")
def test_a_request_has_messages_of_one_ordering_key(pubsub: PubSub) -> None:
    """Messages of different ordering keys are refused in one request."""
    topic = pubsub.topic()

    with pytest.raises(FailedPrecondition):
        pubsub.publish(topic, message("first", "one key"), message("second", "another key"))


def test_a_malformed_ack_id_is_refused(pubsub: PubSub) -> None:
    """An ack id that was never given out is INVALID_ARGUMENT."""
    subscription = pubsub.subscription(pubsub.topic())

    with pytest.raises(InvalidArgument):
        pubsub.subscriber.acknowledge(subscription=subscription, ack_ids=["nonsense"])


def test_messages_published_at_the_same_time_all_arrive(pubsub: PubSub) -> None:
    """Eight publishers at once lose nothing."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    publishers = [
        threading.Thread(
            target=pubsub.publish,
            args=(topic, *(message(f"{publisher} {number}") for number in range(50))),
        )
        for publisher in range(8)
    ]
    for each in publishers:
        each.start()
    for each in publishers:
        each.join()

    received = set[str]()

    def complete() -> bool:
        pulled = pubsub.pull_now(subscription)
        received.update(bodies(pulled))
        if pulled:
            pubsub.acknowledge(subscription, *pulled)
        return len(received) == 400

    eventually(complete, lambda: f"400 messages, got {len(received)}")
