"""A dead letter as an operator reads it, and what is made of it. Pure."""

from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.protobuf.message import DecodeError
from privy.erp.v1.event_pb2 import CostRevenueEvent

from shared import dead_letter
from walletctl.output import Row, plain

EVENT_TYPE = CostRevenueEvent.DESCRIPTOR.full_name

NOT_DELIVERED = "DELIVERIES_EXHAUSTED"
"""The reason of what Pub/Sub itself gave up delivering: only the sink gives a reason."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter; `event` is None where the data is none."""

    letter_id: str
    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str
    published_at: datetime
    event: CostRevenueEvent | None

    @property
    def reason(self) -> str:
        return self.attributes.get(dead_letter.REASON, NOT_DELIVERED)

    @property
    def event_id(self) -> str:
        """The transaction's id; what the publisher said it is where the data does not say it."""
        decoded = self.event.transaction_id if self.event else ""
        return decoded or self.attributes.get("ce-id", "")

    @property
    def wallet_id(self) -> str:
        decoded = self.event.wallet_id if self.event else ""
        return decoded or self.attributes.get("ce-subject", self.ordering_key)

    @property
    def product_code(self) -> str:
        return self.event.product_code if self.event else ""

    @property
    def first_seen_at(self) -> datetime:
        try:
            return datetime.fromisoformat(self.attributes[dead_letter.FIRST_SEEN_TIME])
        except (KeyError, ValueError):
            return self.published_at


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are asked for; what is empty or None asks for nothing in particular.

    `ids` are letters' or events'. `start` is inclusive, `end` exclusive, of the time first seen.
    """

    ids: Collection[str] = ()
    reason: str = ""
    wallet_id: str = ""
    product_code: str = ""
    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_anything(self) -> bool:
        return self == Wanted()

    def matches(self, letter: Letter) -> bool:
        return (
            (not self.ids or letter.letter_id in self.ids or letter.event_id in self.ids)
            and self.reason in {"", letter.reason}
            and self.wallet_id in {"", letter.wallet_id}
            and self.product_code in {"", letter.product_code}
            and (self.start is None or self.start <= letter.first_seen_at)
            and (self.end is None or letter.first_seen_at < self.end)
        )


def event_of(data: bytes, attributes: Mapping[str, str]) -> CostRevenueEvent | None:
    if attributes.get("ce-type") != EVENT_TYPE:
        return None
    event = CostRevenueEvent()
    try:
        event.ParseFromString(data)
    except DecodeError:
        return None
    return event


def replayed_attributes(letter: Letter, reason: str) -> dict[str, str]:
    """Answer the letter's attributes, with one replay more and why it is replayed."""
    return {
        **letter.attributes,
        dead_letter.REPLAY_COUNT: str(_count(letter, dead_letter.REPLAY_COUNT) + 1),
        dead_letter.REPLAY_REASON: reason,
    }


def row_of(letter: Letter) -> dict[str, Any]:
    """Say in a row which letter it is, and why it is here."""
    return {
        "letter_id": letter.letter_id,
        "event_id": letter.event_id,
        "reason": letter.reason,
        "detail": letter.attributes.get(dead_letter.DETAIL, ""),
        "wallet_id": letter.wallet_id,
        "product_code": letter.product_code,
        "first_seen_time": letter.first_seen_at.isoformat(),
        "attempt": _count(letter, dead_letter.ATTEMPT),
        "replay_count": _count(letter, dead_letter.REPLAY_COUNT),
    }


def whole_of(letter: Letter) -> Row:
    """Say all of a letter: the event decoded, where it is one, and the bytes as they came."""
    return {
        **row_of(letter),
        "ordering_key": letter.ordering_key,
        "attributes": dict(letter.attributes),
        "event": plain(letter.event) if letter.event else None,
        "data_base64": b64encode(letter.data).decode(),
    }


def _count(letter: Letter, name: str) -> int:
    return dead_letter.count_of(letter.attributes.get(name, ""))
