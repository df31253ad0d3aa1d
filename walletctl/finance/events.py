"""Finance's events as the ledger has them. Every call raises `grpc.RpcError`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from privy.wallet.v1.event_log_pb2 import (
    BatchGetEventsRequest,
    ListEventsRequest,
    ListEventsResponse,
    RecordedEvent,
    RepublishEventsRequest,
)
from privy.wallet.v1.event_log_pb2_grpc import EventLogServiceStub

PAGE_SIZE = 500
TIMEOUT_S = 30.0
"""The first page waits up to 10 s for what is being written."""


@dataclass(frozen=True, slots=True)
class Written:
    """The events of a time, and the numbers of transactions between which all of them lie."""

    ids: range
    events: Iterator[RecordedEvent]


class LedgerEvents:
    def __init__(self, stub: EventLogServiceStub) -> None:
        self._stub = stub

    def written(self, start: Timestamp | None, end: Timestamp | None) -> Written:
        """List the events of a time, in the order of transactions; a page in memory."""
        request = ListEventsRequest(start_time=start, end_time=end, page_size=PAGE_SIZE)
        page = self._stub.ListEvents(request, timeout=TIMEOUT_S)
        first, end_id = page.start_transaction_id, page.end_transaction_id
        return Written(range(_number(first), _number(end_id)), self._from(request, page))

    def _from(
        self, request: ListEventsRequest, page: ListEventsResponse
    ) -> Iterator[RecordedEvent]:
        yield from page.events
        while page.next_page_token:
            request.page_token = page.next_page_token
            page = self._stub.ListEvents(request, timeout=TIMEOUT_S)
            yield from page.events

    def some(self, event_ids: Sequence[str]) -> Sequence[RecordedEvent]:
        """Answer some events, at most 1,000, in the order of transactions."""
        request = BatchGetEventsRequest(transaction_ids=event_ids)
        return self._stub.BatchGetEvents(request, timeout=TIMEOUT_S).events

    def republish(self, event_ids: Sequence[str]) -> int:
        """Put some events, at most 1,000, back on the feed; answer how many were not there."""
        request = RepublishEventsRequest(transaction_ids=event_ids)
        return self._stub.RepublishEvents(request, timeout=TIMEOUT_S).republished


def _number(transaction_id: str) -> int:
    return int(transaction_id.removeprefix("txn_"))
