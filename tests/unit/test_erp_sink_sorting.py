"""How a pile of deliveries is told apart, and what makes a dead letter."""

from datetime import UTC, datetime

import pytest

from shared.dead_letter import MAX_ATTRIBUTE_BYTES
from tests.finance_events import CHART, event_attributes, finance_event
from transaction_service.erp_sink.dead_letters import attributes_of
from transaction_service.erp_sink.delivery import DeadLetter, Delivery, sort
from transaction_service.erp_sink.event import Fault

NOW = datetime(2026, 3, 10, 3, 56, 24, tzinfo=UTC)


def _delivery(ack_id: str, transaction_id: str) -> Delivery:
    event = finance_event(transaction_id)
    return Delivery(ack_id, event.SerializeToString(), event_attributes(event), "wal_1")


def _letter(attributes: dict[str, str], detail: str = "why") -> DeadLetter:
    return DeadLetter(Delivery("1", b"", attributes, ""), Fault("FIELD_INVALID", detail))


def test_an_event_delivered_twice_has_one_effect() -> None:
    """All its deliveries wait for it, and are acknowledged with it."""
    first, other, again = _delivery("1", "txn_1"), _delivery("2", "txn_2"), _delivery("3", "txn_1")
    pile = sort([first, other, again], CHART.codes())
    assert list(pile.effects) == ["txn_1", "txn_2"]
    assert pile.deliveries == {"txn_1": [first, again], "txn_2": [other]}
    assert pile.dead_letters == []


def test_poison_does_not_touch_its_neighbours() -> None:
    """The good ones become documents, the bad one a dead letter with its fault."""
    poison = Delivery("2", b"\xff", event_attributes(finance_event("txn_2")), "wal_1")
    pile = sort([_delivery("1", "txn_1"), poison, _delivery("3", "txn_3")], CHART.codes())
    assert list(pile.effects) == ["txn_1", "txn_3"]
    assert [(each.delivery, each.fault.reason) for each in pile.dead_letters] == [
        (poison, "EVENT_UNDECODABLE")
    ]


def test_a_dead_letter_keeps_its_attributes_and_says_why() -> None:
    """Reason, detail, when it was first seen, and that this is the first attempt."""
    assert attributes_of(_letter({"ce-id": "txn_7"}), NOW) == {
        "ce-id": "txn_7",
        "dead_letter_reason": "FIELD_INVALID",
        "dead_letter_detail": "why",
        "dead_letter_first_seen_time": "2026-03-10T03:56:24+00:00",
        "dead_letter_attempt": "1",
    }


@pytest.mark.parametrize(
    ("attempt", "next_attempt"), [("1", "2"), ("41", "42"), ("", "1"), ("x", "1"), ("²", "1")]
)
def test_a_replayed_letter_that_fails_again_counts_on(attempt: str, next_attempt: str) -> None:
    """It keeps the time it was first seen; what is no number counts as nothing."""
    before = {"dead_letter_attempt": attempt, "dead_letter_first_seen_time": "2025-01-01T00:00:00Z"}
    after = attributes_of(_letter(before), NOW)
    assert after["dead_letter_attempt"] == next_attempt
    assert after["dead_letter_first_seen_time"] == "2025-01-01T00:00:00Z"


def test_a_long_detail_is_cut_to_what_pubsub_takes() -> None:
    """At most 1,024 bytes, and no broken character at the end."""
    detail = attributes_of(_letter({}, "é" * 1000), NOW)["dead_letter_detail"]
    assert detail == "é" * (MAX_ATTRIBUTE_BYTES // 2)
