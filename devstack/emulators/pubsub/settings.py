"""What a subscription may be asked to be, and the rules for its backlog that follow."""

import grpc

from devstack.emulators.pubsub.checks import check_ack_deadline, check_name, invalid
from devstack.emulators.pubsub.delivery import Rules
from devstack.emulators.pubsub.filters import parse_filter
from devstack.emulators.pubsub.wire import Wire
from devstack.emulators.serving import Refusal

_DEFAULT_ACK_DEADLINE_S = 10
_DEFAULT_RETENTION_S = 7 * 24 * 3600
_DEFAULT_MINIMUM_BACKOFF_S = 10
_DEFAULT_MAXIMUM_BACKOFF_S = 600
_DEFAULT_DELIVERY_ATTEMPTS = 5
_DELIVERY_ATTEMPTS = range(5, 101)


def complete(settings: Wire) -> None:
    """Fill in what was left to the service."""
    settings.ack_deadline_seconds = settings.ack_deadline_seconds or _DEFAULT_ACK_DEADLINE_S
    if not settings.HasField("message_retention_duration"):
        settings.message_retention_duration.seconds = _DEFAULT_RETENTION_S
    if settings.HasField("retry_policy"):
        policy = settings.retry_policy
        if not policy.HasField("minimum_backoff"):
            policy.minimum_backoff.seconds = _DEFAULT_MINIMUM_BACKOFF_S
        if not policy.HasField("maximum_backoff"):
            policy.maximum_backoff.seconds = _DEFAULT_MAXIMUM_BACKOFF_S
    if settings.HasField("dead_letter_policy"):
        policy = settings.dead_letter_policy
        policy.max_delivery_attempts = policy.max_delivery_attempts or _DEFAULT_DELIVERY_ATTEMPTS


def check(settings: Wire) -> None:
    """Refuse complete settings that mean nothing, or that this stand-in would not follow."""
    check_name(settings.name, "subscriptions")
    check_ack_deadline(settings.ack_deadline_seconds)
    if settings.push_config.push_endpoint:
        raise Refusal(grpc.StatusCode.UNIMPLEMENTED, "This stand-in pushes nothing: pull instead")
    if settings.HasField("dead_letter_policy"):
        attempts = settings.dead_letter_policy.max_delivery_attempts
        if attempts not in _DELIVERY_ATTEMPTS:
            message = f"max_delivery_attempts must be 5 to 100, not {attempts}"
            raise Refusal(grpc.StatusCode.OUT_OF_RANGE, message)
    try:
        parse_filter(settings.filter)
    except ValueError as error:
        raise invalid(str(error)) from None


def rules_of(settings: Wire) -> Rules:
    retry = settings.retry_policy
    return Rules(
        ordered=settings.enable_message_ordering,
        minimum_backoff_s=retry.minimum_backoff.ToNanoseconds() / 1e9,
        maximum_backoff_s=retry.maximum_backoff.ToNanoseconds() / 1e9,
        max_delivery_attempts=settings.dead_letter_policy.max_delivery_attempts,
        retain_acknowledged=settings.retain_acked_messages,
    )
