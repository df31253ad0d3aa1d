"""Topics, subscriptions and the messages between them."""

import itertools
from collections.abc import Iterable, Sequence

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from devstack.emulators.pubsub import settings as subscription_settings
from devstack.emulators.pubsub.checks import check_messages, check_name, invalid
from devstack.emulators.pubsub.delivery import Message
from devstack.emulators.pubsub.subscription import Subscription
from devstack.emulators.pubsub.wire import PubsubMessage, Wire
from devstack.emulators.serving import Refusal

_DELETED_TOPIC = "_deleted-topic_"
_CHANGEABLE = {
    "ack_deadline_seconds",
    "dead_letter_policy",
    "enable_exactly_once_delivery",
    "expiration_policy",
    "labels",
    "message_retention_duration",
    "retain_acked_messages",
    "retry_policy",
}


class Broker:
    """Everything the server knows. Times are Unix seconds of a clock that never steps back."""

    def __init__(self) -> None:
        self._topics: dict[str, Wire] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._message_ids = itertools.count(1)
        self._lease_numbers = itertools.count(1)

    def create_topic(self, topic: Wire) -> Wire:
        check_name(topic.name, "topics")
        if topic.name in self._topics:
            raise Refusal(grpc.StatusCode.ALREADY_EXISTS, "Topic already exists")
        self._topics[topic.name] = topic
        return topic

    def topic(self, name: str) -> Wire:
        try:
            return self._topics[name]
        except KeyError:
            raise _not_found("Topic not found") from None

    def topics(self, project: str) -> list[str]:
        return [name for name in self._topics if name.startswith(f"{project}/")]

    def delete_topic(self, name: str) -> None:
        """Delete a topic; its subscriptions keep what they have and get nothing more."""
        self.topic(name)
        del self._topics[name]
        for each in self._receivers(name):
            each.settings.topic = _DELETED_TOPIC

    def create_subscription(self, settings: Wire) -> Wire:
        subscription_settings.complete(settings)
        subscription_settings.check(settings)
        self._check_topics(settings)
        if settings.name in self._subscriptions:
            raise Refusal(grpc.StatusCode.ALREADY_EXISTS, "Subscription already exists")
        self._subscriptions[settings.name] = Subscription(settings, self._lease_numbers)
        return settings

    def update_subscription(self, changes: Wire, mask: FieldMask) -> Wire:
        """Replace the fields that the mask names, whole."""
        subscription = self.subscription(changes.name)
        if fixed := sorted(set(mask.paths) - _CHANGEABLE):
            raise invalid(f"These fields cannot be changed here: {', '.join(fixed)}")
        changed = type(changes)()
        changed.CopyFrom(subscription.settings)
        for path in mask.paths:
            changed.ClearField(path)
        mask.MergeMessage(changes, changed)
        subscription_settings.complete(changed)
        subscription_settings.check(changed)
        self._check_dead_letter_topic(changed)
        subscription.configure(changed)
        return changed

    def subscription(self, name: str) -> Subscription:
        try:
            return self._subscriptions[name]
        except KeyError:
            raise _not_found("Subscription does not exist") from None

    def subscriptions(self, project: str) -> list[str]:
        return [name for name in self._subscriptions if name.startswith(f"{project}/")]

    def subscriptions_of(self, topic: str) -> list[str]:
        self.topic(topic)
        return [each.settings.name for each in self._receivers(topic)]

    def delete_subscription(self, name: str) -> None:
        """Delete a subscription with its messages, and end the streams that wait for some."""
        self.subscription(name).close(_not_found("Subscription does not exist"))
        del self._subscriptions[name]

    def publish(self, topic: str, messages: Sequence[Wire], now_s: float) -> list[str]:
        """Hand the messages to every subscription of the topic; answer their ids."""
        self.topic(topic)
        check_messages(messages)
        full = [each.settings.name for each in self._receivers(topic) if each.is_full()]
        if full:
            message = f"Nobody takes the messages of {', '.join(full)}: no more are held"
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, message)
        return self._distribute(topic, messages, now_s)

    def advance(self, now_s: float) -> None:
        """Let time pass: leases end, failed messages come back or become dead letters."""
        for subscription in [*self._subscriptions.values()]:
            if given_up := subscription.advance(now_s):
                self._bury(subscription, given_up, now_s)

    def close(self) -> None:
        """End every stream, so that its client knows to come back."""
        for subscription in self._subscriptions.values():
            subscription.close(Refusal(grpc.StatusCode.UNAVAILABLE, "The server is stopping"))

    def _receivers(self, topic: str) -> list[Subscription]:
        return [each for each in self._subscriptions.values() if each.settings.topic == topic]

    def _distribute(self, topic: str, messages: Sequence[Wire], now_s: float) -> list[str]:
        for message in messages:
            message.message_id = str(next(self._message_ids))
            message.publish_time.FromNanoseconds(int(now_s * 1e9))
        for subscription in self._receivers(topic):
            subscription.offer(messages)
        return [message.message_id for message in messages]

    def _bury(self, source: Subscription, given_up: Iterable[Message], now_s: float) -> None:
        topic = source.settings.dead_letter_policy.dead_letter_topic
        if topic in self._topics:
            self._distribute(topic, [_dead_letter(each, source) for each in given_up], now_s)
        else:
            # The topic was deleted since: nothing is lost, their attempts start anew.
            source.offer(each.published for each in given_up)

    def _check_topics(self, settings: Wire) -> None:
        if settings.topic not in self._topics:
            raise _not_found("Subscription topic does not exist")
        self._check_dead_letter_topic(settings)

    def _check_dead_letter_topic(self, settings: Wire) -> None:
        topic = settings.dead_letter_policy.dead_letter_topic
        if settings.HasField("dead_letter_policy") and topic not in self._topics:
            raise _not_found("Dead letter topic not found")


def _dead_letter(message: Message, source: Subscription) -> Wire:
    _, project, _, subscription = source.settings.name.split("/")
    letter = PubsubMessage()
    letter.CopyFrom(message.published)
    published_at = message.published.publish_time.ToJsonString()
    letter.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] = str(message.failures)
    letter.attributes["CloudPubSubDeadLetterSourceSubscription"] = subscription
    letter.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] = project
    letter.attributes["CloudPubSubDeadLetterSourceTopicPublishTime"] = published_at
    return letter


def _not_found(message: str) -> Refusal:
    return Refusal(grpc.StatusCode.NOT_FOUND, message)
