"""What becomes of messages that fail: they rest, and in the end they are dead letters."""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.conformance.pubsub_calls import PubSub, bodies, eventually, message, published_at

SOURCE = "CloudPubSubDeadLetterSource"


def resting(minimum_s: float, maximum_s: float) -> dict[str, Any]:
    return {
        "retry_policy": {
            "minimum_backoff": timedelta(seconds=minimum_s),
            "maximum_backoff": timedelta(seconds=maximum_s),
        }
    }


@pytest.mark.google_differs("redelivers at once, whatever the retry policy")
def test_a_failed_message_rests_longer_each_time(pubsub: PubSub) -> None:
    """Rests double from the minimum of the retry policy, up to its maximum."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, **resting(0.3, 0.5))
    pubsub.publish(topic, message("body"))
    rests_s = []

    received = pubsub.pull(subscription, 1)
    for _ in range(3):
        rejected_at = time.monotonic()
        pubsub.reject(subscription, *received)
        received = pubsub.pull(subscription, 1)
        rests_s.append(time.monotonic() - rejected_at)

    assert rests_s[0] >= 0.3
    assert rests_s[1] >= 0.5
    assert 0.5 <= rests_s[2] < 1.2


@pytest.mark.google_differs("redelivers at once, whatever the retry policy")
def test_others_do_not_rest_with_a_failed_message(pubsub: PubSub) -> None:
    """While a key rests, its later messages wait and those of other keys go on."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, enable_message_ordering=True, **resting(1.5, 1.5))
    pubsub.publish(topic, message("a", "key"), message("b", "key"))
    pubsub.reject(subscription, *pubsub.pull(subscription, 2))

    pubsub.publish(topic, message("other", "another key"))

    assert bodies(pubsub.pull(subscription, 1)) == ["other"]
    assert not pubsub.pull_now(subscription)
    assert bodies(pubsub.pull(subscription, 2)) == ["a", "b"]


def test_a_message_that_fails_too_often_is_a_dead_letter(pubsub: PubSub) -> None:
    """After five attempts, each counted, it moves to the dead-letter topic with its origin."""
    topic, dead_letters = pubsub.topic(), pubsub.topic()
    graveyard = pubsub.subscription(dead_letters)
    policy = {"dead_letter_topic": dead_letters, "max_delivery_attempts": 5}
    subscription = pubsub.subscription(topic, dead_letter_policy=policy)
    pubsub.publish(topic, message("poison", "key", kind="usage"))

    attempts = []
    for _ in range(5):
        (received,) = pubsub.pull(subscription, 1)
        attempts.append(received.delivery_attempt)
        pubsub.reject(subscription, received)

    assert not pubsub.pull_now(subscription)
    (letter,) = pubsub.pull(graveyard, 1)
    assert attempts == [1, 2, 3, 4, 5]
    assert letter.message.data == b"poison"
    assert letter.message.ordering_key == "key"
    attributes = dict(letter.message.attributes)
    origin_at = datetime.fromisoformat(attributes.pop(f"{SOURCE}TopicPublishTime"))
    assert abs(origin_at - published_at(received)) < timedelta(milliseconds=2)
    assert attributes == {
        "kind": "usage",
        f"{SOURCE}DeliveryCount": "5",
        f"{SOURCE}Subscription": subscription.rpartition("/")[2],
        f"{SOURCE}SubscriptionProject": pubsub.project.rpartition("/")[2],
    }


@pytest.mark.google_differs("redelivers the messages of a key out of order")
def test_a_poisoned_message_does_not_take_its_key_along(pubsub: PubSub) -> None:
    """Those after it stay, in order, and their attempts are not counted."""
    topic, dead_letters = pubsub.topic(), pubsub.topic()
    graveyard = pubsub.subscription(dead_letters)
    policy = {"dead_letter_topic": dead_letters, "max_delivery_attempts": 5}
    subscription = pubsub.subscription(
        topic, dead_letter_policy=policy, enable_message_ordering=True
    )
    pubsub.publish(topic, *(message(body, "key") for body in ("poison", "b", "c")))

    for _ in range(5):
        pubsub.reject(subscription, *pubsub.pull(subscription, 1))

    others = pubsub.pull(subscription, 2)
    assert bodies(pubsub.pull(graveyard, 1)) == ["poison"]
    assert bodies(others) == ["b", "c"]
    assert [each.delivery_attempt for each in others] == [1, 1]


def test_a_good_message_is_no_dead_letter(pubsub: PubSub) -> None:
    """One that is acknowledged at the last attempt leaves no dead letter."""
    topic, dead_letters = pubsub.topic(), pubsub.topic()
    graveyard = pubsub.subscription(dead_letters)
    policy = {"dead_letter_topic": dead_letters, "max_delivery_attempts": 5}
    subscription = pubsub.subscription(topic, dead_letter_policy=policy)
    pubsub.publish(topic, message("good"))
    for _ in range(4):
        pubsub.reject(subscription, *pubsub.pull(subscription, 1))

    pubsub.acknowledge(subscription, *pubsub.pull(subscription, 1))
    pubsub.publish(dead_letters, message("later"))

    assert bodies(pubsub.pull(graveyard, 1)) == ["later"]
    eventually(lambda: not pubsub.pull_now(subscription), lambda: "nothing left")
