"""What Pub/Sub refuses, with the codes and most of the words of Google's emulator."""

import re
from collections.abc import Iterable, Sequence

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2

from devstack.emulators.pubsub.wire import Wire
from devstack.emulators.serving import Refusal

_ACK_DEADLINE_S = range(10, 601)
_MAX_MESSAGES = 1_000
_MAX_REQUEST_BYTES = 10_000_000
_RESOURCE_NAME = re.compile(
    r"projects/[^/]+/(topics|subscriptions)/(?!goog)[A-Za-z][\w.~+%-]{2,254}"
)


def invalid(message: str) -> Refusal:
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)


def check_name(name: str, collection: str) -> None:
    """Refuse a malformed name of `collection`, which is `topics` or `subscriptions`."""
    match = _RESOURCE_NAME.fullmatch(name)
    if match is None or match[1] != collection:
        raise invalid(f"Invalid [{collection}] name: (name={name})")


def check_ack_deadline(seconds: int) -> None:
    """Refuse an ack deadline that neither a subscription nor a stream may have."""
    if seconds not in _ACK_DEADLINE_S:
        raise invalid(f"The ack deadline must be 10 to 600 seconds, not {seconds}")


def check_messages(messages: Sequence[Wire]) -> None:
    """Refuse what must not be published, or not together."""
    if not messages:
        raise invalid("No messages to publish")
    if len(messages) > _MAX_MESSAGES:
        raise invalid("Too many messages to publish")
    if any(not each.data and not each.attributes for each in messages):
        raise invalid("Some messages are empty")
    if sum(each.ByteSize() for each in messages) > _MAX_REQUEST_BYTES:
        raise invalid("The messages are larger than 10 MB together")
    if len({each.ordering_key for each in messages}) > 1:
        raise Refusal(
            grpc.StatusCode.FAILED_PRECONDITION,
            "In a single publish request, all messages must have no ordering key or they must"
            " all have the same ordering key.",
        )


def too_late(ack_ids: Iterable[str]) -> Refusal:
    """Build the answer that tells a client of exactly-once delivery which leases it has lost."""
    detail = AnyMessage()
    detail.Pack(
        error_details_pb2.ErrorInfo(
            reason="EXACTLY_ONCE_ACKID_FAILURE",
            domain="pubsub.googleapis.com",
            metadata=dict.fromkeys(ack_ids, "PERMANENT_FAILURE_INVALID_ACK_ID"),
        )
    )
    refusal = invalid("Some ack ids are invalid or have expired")
    status = status_pb2.Status(
        code=refusal.code.value[0], message=refusal.message, details=[detail]
    )
    trailer = ("grpc-status-details-bin", status.SerializeToString())
    return Refusal(refusal.code, refusal.message, (trailer,))
