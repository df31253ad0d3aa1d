"""Topics and subscriptions: what may be made, found, changed and deleted."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from google.api_core.exceptions import AlreadyExists, InvalidArgument, NotFound, OutOfRange

from tests.conformance.pubsub_calls import PubSub, bodies, message


def test_what_exists_is_listed_by_page(pubsub: PubSub) -> None:
    """Lists cover the project's topics and subscriptions, however small the pages."""
    topics = [pubsub.topic() for _ in range(3)]
    subscriptions = [pubsub.subscription(topics[0]) for _ in range(3)]
    request = {"project": pubsub.project, "page_size": 2}

    listed_topics = [each.name for each in pubsub.publisher.list_topics(request=request)]
    listed = [each.name for each in pubsub.subscriber.list_subscriptions(request=request)]
    of_topic = pubsub.publisher.list_topic_subscriptions(request={"topic": topics[0]})

    assert set(topics) <= set(listed_topics)
    assert len(set(listed_topics)) == len(listed_topics)
    assert set(subscriptions) <= set(listed)
    assert set(of_topic) == set(subscriptions)


def test_what_was_left_open_gets_its_default(pubsub: PubSub) -> None:
    """A plain subscription has 10 s to acknowledge, and keeps messages for 7 days."""
    name = pubsub.subscription(pubsub.topic())

    settings = pubsub.subscriber.get_subscription(subscription=name)

    assert settings.ack_deadline_seconds == 10
    assert settings.message_retention_duration == timedelta(days=7)
    assert not settings.enable_message_ordering


def test_settings_are_kept(pubsub: PubSub) -> None:
    """A subscription answers with the settings that it was made with."""
    dead_letters = pubsub.topic()
    name = pubsub.subscription(
        pubsub.topic(),
        ack_deadline_seconds=30,
        enable_message_ordering=True,
        retry_policy={
            "minimum_backoff": timedelta(seconds=1),
            "maximum_backoff": timedelta(seconds=60),
        },
        dead_letter_policy={"dead_letter_topic": dead_letters, "max_delivery_attempts": 7},
        labels={"owner": "finance"},
    )

    settings = pubsub.subscriber.get_subscription(subscription=name)

    assert settings.ack_deadline_seconds == 30
    assert settings.enable_message_ordering
    assert settings.retry_policy.maximum_backoff == timedelta(seconds=60)
    assert settings.dead_letter_policy.dead_letter_topic == dead_letters
    assert settings.dead_letter_policy.max_delivery_attempts == 7
    assert settings.labels == {"owner": "finance"}


def test_only_the_masked_settings_change(pubsub: PubSub) -> None:
    """An update changes the fields of its mask and leaves the others."""
    name = pubsub.subscription(pubsub.topic(), labels={"owner": "finance"})
    changes = {"name": name, "ack_deadline_seconds": 60, "labels": {"owner": "nobody"}}

    changed = pubsub.subscriber.update_subscription(
        request={"subscription": changes, "update_mask": {"paths": ["ack_deadline_seconds"]}}
    )

    assert changed.ack_deadline_seconds == 60
    assert changed.labels == {"owner": "finance"}
    assert pubsub.subscriber.get_subscription(subscription=name) == changed


def test_the_name_of_an_existing_thing_is_refused(pubsub: PubSub) -> None:
    """Creating what is there is ALREADY_EXISTS."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)

    with pytest.raises(AlreadyExists):
        pubsub.publisher.create_topic(name=topic)
    with pytest.raises(AlreadyExists):
        pubsub.subscriber.create_subscription(name=subscription, topic=topic)


CALLS_ABOUT_NOTHING: dict[str, Callable[[PubSub, str, str], object]] = {
    "get topic": lambda pubsub, topic, _: pubsub.publisher.get_topic(topic=topic),
    "delete topic": lambda pubsub, topic, _: pubsub.publisher.delete_topic(topic=topic),
    "publish": lambda pubsub, topic, _: pubsub.publish(topic, message("body")),
    "subscribe": lambda pubsub, topic, _: pubsub.subscription(topic),
    "get subscription": lambda pubsub, _, name: pubsub.subscriber.get_subscription(
        subscription=name
    ),
    "delete subscription": lambda pubsub, _, name: pubsub.subscriber.delete_subscription(
        subscription=name
    ),
    "pull": lambda pubsub, _, name: pubsub.pull_now(name),
    "acknowledge": lambda pubsub, _, name: pubsub.subscriber.acknowledge(
        subscription=name, ack_ids=[f"{name}:1"]
    ),
}


@pytest.mark.parametrize("call", CALLS_ABOUT_NOTHING)
def test_what_does_not_exist_is_not_found(pubsub: PubSub, call: str) -> None:
    """Calls about a topic or subscription that is not there are NOT_FOUND."""
    topic, subscription = pubsub.name("topics"), pubsub.name("subscriptions")

    with pytest.raises(NotFound):
        CALLS_ABOUT_NOTHING[call](pubsub, topic, subscription)


@pytest.mark.parametrize("name", ["plain", "projects/p/topics/", "projects/p/topics/1digit"])
def test_a_malformed_name_is_refused(pubsub: PubSub, name: str) -> None:
    """A topic's name must have its form."""
    with pytest.raises(InvalidArgument):
        pubsub.publisher.create_topic(name=name)


def test_a_dead_letter_policy_is_checked(pubsub: PubSub) -> None:
    """Its topic must exist, and 5 attempts are the fewest."""
    topic, policy = pubsub.topic(), "dead_letter_policy"

    with pytest.raises(NotFound):
        pubsub.subscription(topic, **{policy: {"dead_letter_topic": pubsub.name("topics")}})
    with pytest.raises(OutOfRange):
        pubsub.subscription(
            topic, **{policy: {"dead_letter_topic": topic, "max_delivery_attempts": 4}}
        )


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(9, marks=pytest.mark.google_differs("accepts less than 10 s")),
        601,
    ],
)
def test_an_ack_deadline_out_of_bounds_is_refused(pubsub: PubSub, seconds: int) -> None:
    """A subscription's ack deadline is 10 to 600 seconds."""
    with pytest.raises(InvalidArgument):
        pubsub.subscription(pubsub.topic(), ack_deadline_seconds=seconds)


def test_a_subscription_outlives_its_topic(pubsub: PubSub) -> None:
    """It keeps the messages that it had, and says that its topic is gone."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, message("kept"))

    pubsub.publisher.delete_topic(topic=topic)

    settings = pubsub.subscriber.get_subscription(subscription=subscription)
    assert settings.topic == "_deleted-topic_"
    assert bodies(pubsub.pull(subscription, 1)) == ["kept"]


def test_a_new_subscription_starts_empty(pubsub: PubSub) -> None:
    """It gets what is published after it was made, also if its name was used before."""
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, message("before"))

    pubsub.subscriber.delete_subscription(subscription=subscription)
    pubsub.subscriber.create_subscription(name=subscription, topic=topic)
    pubsub.publish(topic, message("after"))

    assert bodies(pubsub.pull(subscription, 1)) == ["after"]
    assert not pubsub.pull_now(subscription)
