"""The documents, and commits that happen whole or not at all."""

import re
from collections.abc import Iterable, Sequence

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from devstack.emulators.firestore.wire import Wire
from devstack.emulators.firestore.writes import outcome_of, target_of
from devstack.emulators.serving import Refusal

_MAX_WRITES = 500
_DOCUMENT_NAME = re.compile(r"projects/[^/]+/databases/[^/]+/documents(/[^/]+/[^/]+)+")
_RESERVED_ID = re.compile(r"\.|\.\.|__.*__", re.DOTALL)


class Store:
    """Documents by the path of their collection and their id.

    A stored document is never changed, only replaced: whoever was given one may keep it.
    """

    def __init__(self) -> None:
        self._collections: dict[str, dict[str, Wire]] = {}
        self._last_micros = 0

    def get(self, name: str) -> Wire | None:
        collection, _, document_id = name.rpartition("/")
        return self._collections.get(collection, {}).get(document_id)

    def collection(self, path: str) -> Iterable[Wire]:
        """List the documents directly in a collection."""
        return self._collections.get(path, {}).values()

    def collections(self, below: str) -> list[str]:
        """List the paths of all collections that have documents, at any depth below a parent."""
        return [path for path in self._collections if path.startswith(f"{below}/")]

    def time(self, now_s: float) -> Timestamp:
        """Make a timestamp later than every one before it, in whole microseconds."""
        self._last_micros = max(int(now_s * 1e6), self._last_micros + 1)
        timestamp = Timestamp()
        timestamp.FromMicroseconds(self._last_micros)
        return timestamp

    def commit(self, writes: Sequence[Wire], commit_time: Timestamp) -> list[Wire]:
        """Apply the writes in order, each seeing those before it: all of them, or none."""
        check_writes(writes)
        staged: dict[str, Wire | None] = {}
        results = []
        for write in writes:
            name = target_of(write)
            before = staged[name] if name in staged else self.get(name)
            outcome = outcome_of(write, before, commit_time)
            staged[name] = outcome.document
            results.append(outcome.result)
        for name, document in staged.items():
            self._put(name, document)
        return results

    def _put(self, name: str, document: Wire | None) -> None:
        path, _, document_id = name.rpartition("/")
        collection = self._collections.setdefault(path, {})
        if document is None:
            collection.pop(document_id, None)
        else:
            collection[document_id] = document
        if not collection:
            del self._collections[path]


def check_writes(writes: Sequence[Wire]) -> None:
    """Refuse too many writes at once, and those to what is no document."""
    if len(writes) > _MAX_WRITES:
        message = f"maximum {_MAX_WRITES} writes allowed per request"
        raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
    for name in map(target_of, writes):
        if not _DOCUMENT_NAME.fullmatch(name):
            message = f'Document name "{name}" is not valid'
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
        for part in name.partition("/documents/")[2].split("/"):
            if _RESERVED_ID.fullmatch(part):
                message = f'Id "{part}" in "{name}" is invalid because it is reserved.'
                raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
