"""The ledger's events against finance's documents, one by one, in bounded memory."""

import time
from collections.abc import Callable, Iterator, Sequence

from google.protobuf.timestamp_pb2 import Timestamp
from privy.wallet.v1.event_log_pb2 import RecordedEvent

from walletctl.finance.comparison import FIELDS, Fields, differing, document_sums, ledger_sums
from walletctl.finance.documents import Documents
from walletctl.finance.events import LedgerEvents
from walletctl.finance.findings import Difference, Findings, Kind
from walletctl.finance.joining import joined

MAX_MISSING = 100_000
"""So many are looked up again, and can be mended at once; the others are only counted."""

CHUNK = 500
LOOK_INTERVAL_S = 0.5


class Reconciliation:
    """Scans once; looks again for what is missing; says what remains.

    Every call raises `GoogleAPICallError` and `grpc.RpcError`.
    """

    def __init__(self, events: LedgerEvents, documents: Documents, limit: int) -> None:
        self.findings = Findings(limit)
        self._events = events
        self._documents = documents
        self._missing: dict[str, None] = {}

    def scan(
        self, start: Timestamp | None, end: Timestamp | None, report: Callable[[int], None]
    ) -> None:
        """Compare all that was written in a time; `report` is told how many events by now.

        What nobody but Firestore knows is looked for among all documents if the time is all time.
        """
        written = self._events.written(start, end)
        strays = start is None and end is None
        documents = self._documents.written(written.ids, FIELDS, strays=strays)
        events = ((each.event.transaction_id, each) for each in written.events)
        for number, (event_id, event, document) in enumerate(joined(events, documents), 1):
            self._see(event_id, event, document)
            if number % CHUNK == 0:
                report(number)

    def _see(self, event_id: str, recorded: RecordedEvent | None, document: Fields | None) -> None:
        if document is not None:
            self.findings.documents += 1
            self.findings.told.update(document_sums(document))
        if recorded is None:
            self.findings.note(Difference(Kind.EXTRA, event_id))
            return
        self.findings.events += 1
        self.findings.ledger.update(ledger_sums(recorded.event))
        if document is not None:
            self._compare(recorded, document)
        elif len(self._missing) < MAX_MISSING:
            self._missing[event_id] = None
        else:
            self.findings.note(_lack(recorded))

    def _compare(self, recorded: RecordedEvent, document: Fields) -> None:
        if fields := differing(recorded, document):
            event_id = recorded.event.transaction_id
            self.findings.note(Difference(Kind.DIFFERING, event_id, tuple(fields)))

    def wait(self, patience_s: float) -> None:
        """Look up what is missing until it is there, or `patience_s` have passed."""
        deadline_s = time.monotonic() + patience_s
        while self._missing and (left_s := deadline_s - time.monotonic()) > 0:
            time.sleep(min(LOOK_INTERVAL_S, left_s))
            for chunk in _chunks(list(self._missing)):
                self._look_again(chunk)

    def _look_again(self, event_ids: Sequence[str]) -> None:
        found = self._documents.some(event_ids, FIELDS)
        for recorded in self._events.some(list(found)) if found else ():
            event_id = recorded.event.transaction_id
            del self._missing[event_id]
            self.findings.documents += 1
            self.findings.told.update(document_sums(found[event_id]))
            self._compare(recorded, found[event_id])

    def missing(self) -> Iterator[Sequence[RecordedEvent]]:
        """Give what is missing yet, published or not, in parts."""
        for chunk in _chunks(list(self._missing)):
            yield self._events.some(chunk)

    def conclude(self) -> Findings:
        """Answer all differences, with what is missing yet."""
        for part in self.missing():
            for recorded in part:
                self.findings.note(_lack(recorded))
        return self.findings


def _lack(recorded: RecordedEvent) -> Difference:
    kind = Kind.UNPUBLISHED if recorded.in_feed else Kind.MISSING
    return Difference(kind, recorded.event.transaction_id)


def _chunks(event_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(event_ids), CHUNK):
        yield event_ids[start : start + CHUNK]
