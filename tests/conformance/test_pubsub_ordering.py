"""Messages of one ordering key are delivered in the order in which they were published."""

import pytest

from tests.conformance.pubsub_calls import PubSub, bodies, message


def test_a_key_is_delivered_in_order(pubsub: PubSub) -> None:
    """Over several requests and pulls, a key's messages come in their order."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, enable_message_ordering=True)
    expected = [f"body {number}" for number in range(30)]
    for start in range(0, 30, 10):
        pubsub.publish(topic, *(message(body, "key") for body in expected[start : start + 10]))

    received: list[str] = []
    while len(received) < 30:
        pulled = pubsub.pull(subscription, 1)
        received += bodies(pulled)
        pubsub.acknowledge(subscription, *pulled)

    assert received == expected


def test_one_batch_of_a_key_is_out_at_a_time(pubsub: PubSub) -> None:
    """What follows waits until the batch is acknowledged; other keys do not wait."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, enable_message_ordering=True)
    pubsub.publish(topic, message("first", "key"), message("second", "key"))
    first = pubsub.pull_now(subscription, limit=1)
    assert bodies(first) == ["first"]

    pubsub.publish(topic, message("other", "another key"))
    assert bodies(pubsub.pull(subscription, 1)) == ["other"]
    assert not pubsub.pull_now(subscription)

    pubsub.acknowledge(subscription, *first)
    assert bodies(pubsub.pull(subscription, 1)) == ["second"]


@pytest.mark.google_differs("redelivers the messages of a key out of order")
def test_a_rejected_message_draws_those_after_it_back(pubsub: PubSub) -> None:
    """It comes again, then those after it, in order, even those that were acknowledged."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, enable_message_ordering=True)
    pubsub.publish(topic, *(message(body, "key") for body in ("a", "b", "c", "d")))
    first, second, third, fourth = pubsub.pull(subscription, 4)

    pubsub.acknowledge(subscription, first, third)
    pubsub.reject(subscription, second)
    pubsub.acknowledge(subscription, fourth)

    assert bodies(pubsub.pull(subscription, 3)) == ["b", "c", "d"]


def test_an_expired_message_draws_those_after_it_back(pubsub: PubSub) -> None:
    """A consumer that stops in the middle of a batch does not change the order."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, enable_message_ordering=True)
    pubsub.publish(topic, *(message(body, "key") for body in ("a", "b", "c", "d")))
    first, *others = pubsub.pull(subscription, 4)

    pubsub.acknowledge(subscription, first)
    pubsub.extend(subscription, 1, *others)

    assert bodies(pubsub.pull(subscription, 3)) == ["b", "c", "d"]


def test_a_key_means_nothing_without_ordering(pubsub: PubSub) -> None:
    """Where ordering is off, messages of one key do not wait for each other."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, message("first", "key"), message("second", "key"))

    received = [*pubsub.pull(subscription, 1), *pubsub.pull(subscription, 1)]

    assert set(bodies(received)) == {"first", "second"}
