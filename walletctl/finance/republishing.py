"""Putting events back on the ledger's feed: each act is in the audit trail before it is done."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from google.protobuf.message import DecodeError
from privy.erp.v1.event_pb2 import CostRevenueEvent
from privy.wallet.v1.event_log_pb2 import RecordedEvent
from privy.wallet.v1.feed_pb2 import FeedEvent

from walletctl.finance.acts import Act, OperatorActs
from walletctl.finance.events import LedgerEvents
from walletctl.output import Row

MAX_EVENTS = 500
"""At a time."""


@dataclass(frozen=True, slots=True)
class Republisher:
    """Every call raises `GoogleAPICallError` and `grpc.RpcError`."""

    events: LedgerEvents
    acts: OperatorActs
    operator: str
    reason: str

    def put_back(self, events: Sequence[RecordedEvent]) -> int:
        """Put some events back on the feed; answer how many were not there. May be repeated."""
        event_ids = [each.event.transaction_id for each in events]
        act = Act(
            operator=self.operator,
            kind="REPUBLISH",
            reason=self.reason,
            event_id=event_ids[0],
            last_event_id=event_ids[-1],
            events=len(event_ids),
        )
        self.acts.record(act)
        return self.events.republish(event_ids)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are asked for; what is empty asks for nothing in particular."""

    wallet_id: str = ""
    product_code: str = ""

    def matches(self, recorded: RecordedEvent) -> bool:
        return self.wallet_id in {"", recorded.event.wallet_id} and (
            not self.product_code or self.product_code == _product_of(recorded.event.payload)
        )


def _product_of(payload: bytes) -> str:
    event = CostRevenueEvent()
    try:
        event.ParseFromString(payload)
    except DecodeError:
        return ""
    return event.product_code


@dataclass(slots=True)
class Backfill:
    """Puts back many events, in steps; knows how far it is, also when it was stopped."""

    republisher: Republisher
    events: int = 0
    republished: int = 0
    last: FeedEvent | None = None

    def run(
        self, events: Iterable[RecordedEvent], rate: float | None, report: Callable[[int], None]
    ) -> None:
        """Put events back on the feed, at most `rate` a second; without a rate only count them.

        `report` is told how many events by now.
        """
        for step in paced(events, rate) if rate else steps(events, MAX_EVENTS):
            if rate:
                self.republished += self.republisher.put_back(step)
            self.events += len(step)
            self.last = step[-1].event
            report(self.events)

    def row(self) -> Row:
        """Say how far it is; from the last create time on it may go on."""
        return {
            "events": self.events,
            "republished": self.republished,
            "last_event_id": self.last.transaction_id if self.last else "",
            "last_create_time": self.last.create_time.ToJsonString() if self.last else "",
        }


def paced(events: Iterable[RecordedEvent], rate: float) -> Iterator[Sequence[RecordedEvent]]:
    """Part events into steps of about a second, at most `rate` events a second."""
    start_s, done = time.monotonic(), 0
    for step in steps(events, max(1, min(int(rate), MAX_EVENTS))):
        time.sleep(max(0.0, start_s + done / rate - time.monotonic()))
        yield step
        done += len(step)


def steps(events: Iterable[RecordedEvent], size: int) -> Iterator[Sequence[RecordedEvent]]:
    """Part events into lists of at most `size`."""
    left = iter(events)
    while step := list(islice(left, size)):
        yield step
