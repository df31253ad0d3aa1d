"""Filters, exactly-once delivery and seeking."""

from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import InvalidArgument

from tests.conformance.pubsub_calls import PubSub, bodies, message

MESSAGES = (
    message("plain", unit="none"),
    message("usage", kind="usage", product="ESIGN"),
    message("check", kind="usage", product="EKYC"),
    message("top-up", kind="top-up"),
)


@pytest.mark.google_differs("ignores filters")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('attributes.kind = "usage"', {"usage", "check"}),
        ('attributes.kind = "usage" AND attributes.product = "ESIGN"', {"usage"}),
        ("attributes:kind", {"usage", "check", "top-up"}),
        ("NOT attributes:kind", {"plain"}),
        ('attributes:product AND NOT attributes.product = "ESIGN"', {"check"}),
        ('hasPrefix(attributes.product, "E")', {"usage", "check"}),
        ('hasPrefix(attributes.kind, "top")', {"top-up"}),
    ],
)
def test_a_filter_chooses_by_attributes(pubsub: PubSub, text: str, wanted: set[str]) -> None:
    """A subscription gets the messages that its filter wants, and no others."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, filter=text)

    pubsub.publish(topic, *MESSAGES)

    assert set(bodies(pubsub.pull(subscription, len(wanted)))) == wanted
    assert not pubsub.pull_now(subscription)


@pytest.mark.google_differs("takes any text for a filter")
def test_a_filter_that_is_none_is_refused(pubsub: PubSub) -> None:
    """A filter that cannot be read is INVALID_ARGUMENT."""
    with pytest.raises(InvalidArgument):
        pubsub.subscription(pubsub.topic(), filter="attributes.kind is usage")


def test_a_filter_and_ordering_go_together(pubsub: PubSub) -> None:
    """What a filter drops does not hold back the rest of its key."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(
        topic, filter='attributes.kind = "usage"', enable_message_ordering=True
    )
    pubsub.publish(
        topic,
        message("dropped", "key", kind="other"),
        message("first", "key", kind="usage"),
        message("second", "key", kind="usage"),
    )

    wanted = [body for body in bodies(pubsub.pull(subscription, 2)) if body != "dropped"]

    assert wanted == ["first", "second"][: len(wanted)]


def test_exactly_once_tells_who_comes_too_late(pubsub: PubSub) -> None:
    """A lease that has ended can neither be acknowledged nor extended."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, enable_exactly_once_delivery=True)
    pubsub.publish(topic, message("body"))
    (first,) = pubsub.pull(subscription, 1)
    pubsub.reject(subscription, first)
    (second,) = pubsub.pull(subscription, 1)

    with pytest.raises(InvalidArgument, match="PERMANENT_FAILURE_INVALID_ACK_ID"):
        pubsub.acknowledge(subscription, first)
    with pytest.raises(InvalidArgument, match="PERMANENT_FAILURE_INVALID_ACK_ID"):
        pubsub.extend(subscription, 30, first)
    pubsub.acknowledge(subscription, second)

    assert not pubsub.pull_now(subscription)


def test_seeking_forward_settles_what_was_published(pubsub: PubSub) -> None:
    """A seek to a time makes all that is older acknowledged, outstanding or not."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, message("outstanding"), message("waiting"))
    (outstanding,) = pubsub.pull(subscription, 1)

    soon = datetime.now(UTC) + timedelta(seconds=1)
    pubsub.subscriber.seek(request={"subscription": subscription, "time": soon})
    pubsub.reject(subscription, outstanding)

    assert not pubsub.pull_now(subscription)


def test_seeking_back_brings_acknowledged_messages_again(pubsub: PubSub) -> None:
    """Where acknowledged messages are retained, a seek into the past makes them new."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, retain_acked_messages=True)
    before = datetime.now(UTC) - timedelta(seconds=1)
    pubsub.publish(topic, message("first"), message("second"))
    pubsub.acknowledge(subscription, *pubsub.pull(subscription, 2))

    pubsub.subscriber.seek(request={"subscription": subscription, "time": before})

    assert set(bodies(pubsub.pull(subscription, 2))) == {"first", "second"}
