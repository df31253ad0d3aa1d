"""Committed events as messages and requests."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from privy.wallet.v1.feed_pb2 import FeedEvent

from tests.finance_events import CHART
from transaction_service.publisher.completion import complete
from transaction_service.publisher.messages import (
    MAX_MESSAGES,
    MAX_REQUEST_BYTES,
    lanes_of,
    message_of,
)

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TOPIC = "projects/test/topics/events"


def _committed(payload: bytes = b"", traceparent: str = "") -> FeedEvent:
    event = FeedEvent(
        transaction_id="txn_7", wallet_id="wal_1", payload=payload, traceparent=traceparent
    )
    event.create_time.FromJsonString("2026-03-10T03:56:24.25Z")
    event.effective_time.FromJsonString("2026-03-01T00:00:00Z")
    return event


def test_a_message_is_a_cloud_event_in_binary_mode() -> None:
    """Each context attribute has its `ce-` name, the data is the event, the key is the wallet."""
    message = message_of(_committed(traceparent=TRACEPARENT), CHART)
    assert dict(message.attributes) == {
        "ce-specversion": "1.0",
        "ce-id": "txn_7",
        "ce-source": "//transaction-wallet/wallet",
        "ce-type": "privy.erp.v1.CostRevenueEvent",
        "ce-subject": "wal_1",
        "ce-time": "2026-03-10T03:56:24.250Z",
        "content-type": "application/protobuf",
        "traceparent": TRACEPARENT,
    }
    assert message.ordering_key == "wal_1"
    assert message.data == complete(_committed(), CHART)


def test_a_stored_message_can_be_read_with_buf(tmp_path: Path) -> None:
    """Its bytes and the protos are enough, whoever kept them."""
    stored = tmp_path / "message.binpb"
    stored.write_bytes(message_of(_committed(), CHART).data)
    read = subprocess.run(
        [
            *(Path(sys.executable).with_name("buf"), "convert", "proto"),
            *("--type", "privy.erp.v1.CostRevenueEvent", "--from", stored, "--to", "-#format=json"),
        ],
        capture_output=True,
        check=True,
    )
    assert json.loads(read.stdout)["transactionId"] == "txn_7"


@pytest.mark.parametrize("traceparent", ["", "mine", TRACEPARENT.upper(), TRACEPARENT + "0" * 2000])
def test_what_is_no_trace_context_is_left_out(traceparent: str) -> None:
    """A caller's header may not make Pub/Sub refuse the events of everybody else."""
    assert "traceparent" not in message_of(_committed(traceparent=traceparent), CHART).attributes


def test_each_wallet_has_a_lane_of_its_own_in_order() -> None:
    """Pub/Sub refuses a request with two ordering keys, and each wallet's order must hold."""
    events = [
        FeedEvent(transaction_id=f"txn_{number}", wallet_id=wallet_id)
        for number, wallet_id in enumerate(["wal_1", "wal_2", "wal_1", "wal_3", "wal_2"])
    ]
    lanes = lanes_of(TOPIC, events, CHART)
    assert [
        [each.attributes["ce-id"] for request in lane for each in request.messages]
        for lane in lanes
    ] == [["txn_0", "txn_2"], ["txn_1", "txn_4"], ["txn_3"]]
    for lane in lanes:
        assert len({each.ordering_key for request in lane for each in request.messages}) == 1


# A little more than a message takes besides its payload.
OVERHEAD_BYTES = 250


@pytest.mark.parametrize(
    ("sizes_bytes", "expected_counts"),
    [
        ([10] * 3, [3]),
        ([0] * (MAX_MESSAGES + 1), [MAX_MESSAGES, 1]),
        ([4_000_000] * 5, [2, 2, 1]),
        ([20, MAX_REQUEST_BYTES - 3 * OVERHEAD_BYTES - 40, 20], [3]),
        ([20, MAX_REQUEST_BYTES - OVERHEAD_BYTES, 20], [1, 1, 1]),
        ([12_000_000, 20], [1, 1]),
    ],
)
def test_messages_fill_as_few_requests_as_the_limits_allow(
    sizes_bytes: list[int], expected_counts: list[int]
) -> None:
    """At most 1,000 messages and 10 MB a request, in order, none left out."""
    events = [_committed(b"\xff" * size_bytes) for size_bytes in sizes_bytes]
    (requests,) = lanes_of(TOPIC, events, CHART)
    assert [len(each.messages) for each in requests] == expected_counts
    assert [each.topic for each in requests] == [TOPIC] * len(expected_counts)
    assert [len(message.data) for request in requests for message in request.messages] == [
        len(complete(each, CHART)) for each in events
    ]
    for request in requests:
        assert len(request.messages) == 1 or request.ByteSize() <= 10_000_000
