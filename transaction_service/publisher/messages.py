"""Committed events as Pub/Sub messages and requests. Pure.

A message follows the binary mode of CloudEvents' binding for Google Cloud Pub/Sub: the data is
the event itself, each context attribute is a message attribute prefixed `ce-`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from google.pubsub_v1 import types
from privy.erp.v1.event_pb2 import CostRevenueEvent
from privy.wallet.v1.feed_pb2 import FeedEvent

from transaction_service.chart_of_accounts import ChartOfAccounts
from transaction_service.publisher.completion import complete

EVENT_TYPE = CostRevenueEvent.DESCRIPTOR.full_name
SOURCE = "//transaction-wallet/wallet"

# Pub/Sub's limits of one request, less room for the topic's name and the framing.
MAX_MESSAGES = 1_000
MAX_REQUEST_BYTES = 9_900_000
_FRAMING_BYTES = 8

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

# The plain protobuf classes below proto-plus: many times faster to fill.
_PubsubMessage = types.PubsubMessage.pb()
_PublishRequest = types.PublishRequest.pb()


def message_of(event: FeedEvent, chart: ChartOfAccounts) -> Any:
    """Build the message of `event`: a plain `PubsubMessage`, ordered among its wallet's."""
    return _PubsubMessage(
        data=complete(event, chart),
        attributes=attributes_of(event),
        ordering_key=event.wallet_id,
    )


def attributes_of(event: FeedEvent) -> dict[str, str]:
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": event.transaction_id,
        "ce-source": SOURCE,
        "ce-type": EVENT_TYPE,
        "ce-subject": event.wallet_id,
        "ce-time": event.create_time.ToJsonString(),
        "content-type": "application/protobuf",
    }
    # It comes from the action's caller: what is no trace context could make Pub/Sub refuse all.
    if _TRACEPARENT.fullmatch(event.traceparent):
        attributes["traceparent"] = event.traceparent
    return attributes


def lanes_of(topic: str, events: Iterable[FeedEvent], chart: ChartOfAccounts) -> list[list[Any]]:
    """Put `events` into plain requests to `topic`: a lane for each wallet, each lane in order.

    Pub/Sub refuses a request that mixes ordering keys. (Its emulator does not.)
    """
    messages: dict[str, list[Any]] = {}
    for each in events:
        messages.setdefault(each.wallet_id, []).append(message_of(each, chart))
    return [list(_requests(topic, lane)) for lane in messages.values()]


def _requests(topic: str, messages: Iterable[Any]) -> Iterator[Any]:
    """Put `messages` into as few requests as the limits allow, in order."""
    request = _PublishRequest(topic=topic)
    size_bytes = 0
    for message in messages:
        message_bytes = message.ByteSize() + _FRAMING_BYTES
        if request.messages and (
            len(request.messages) == MAX_MESSAGES or size_bytes + message_bytes > MAX_REQUEST_BYTES
        ):
            yield request
            request, size_bytes = _PublishRequest(topic=topic), 0
        request.messages.append(message)
        size_bytes += message_bytes
    yield request
