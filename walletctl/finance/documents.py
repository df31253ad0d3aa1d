"""The event documents in Firestore, as the sink wrote them."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from google.api_core.exceptions import DeadlineExceeded, ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

TIMEOUT_S = 10.0
PAGE_SIZE = 5_000
"""The emulators look at every document for each page; Firestore itself does not."""
PAGE_TIMEOUT_S = 30.0

# A long comparison outlives a short outage.
_AGAIN = Retry(
    if_exception_type(DeadlineExceeded, ServiceUnavailable), initial=0.2, maximum=2.0, timeout=10.0
)

_TRANSACTION = re.compile(r"txn_([1-9][0-9]*)", re.ASCII)
_NO_ID = re.compile(r"|\.|\.\.|__.*__|.*/.*", re.DOTALL)


class Documents:
    """Every call raises `GoogleAPICallError`."""

    def __init__(self, client: firestore.Client, collection: str) -> None:
        self._client = client
        self._collection = client.collection(collection)

    def has(self, event_id: str) -> bool:
        """Say whether the event is written; what can be no document's id never is."""
        if _NO_ID.fullmatch(event_id):
            return False
        found = self._collection.document(event_id).get(
            ["transaction_id"], timeout=TIMEOUT_S, retry=None
        )
        return bool(found.exists)

    def newest(self, fields: Collection[str]) -> dict[str, Any] | None:
        """Answer these fields of the newest event's document, by the time of its transaction."""
        newest_first = self._collection.order_by("create_time", direction="DESCENDING")
        found = newest_first.select(fields).limit(1).get(timeout=TIMEOUT_S, retry=None)
        return next((each.to_dict() or {} for each in found), None)

    def written(
        self, ids: range, fields: Collection[str], *, strays: bool
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give the documents of the transactions of a range, in the order of ids; a page in memory.

        With `strays` also those whose id is no transaction's, wherever it stands. All ids have as
        many digits, 18 from October 2024 to July 2031, so that they stand in Firestore in the order
        of transactions.
        """
        query = self._collection.select(fields)
        for each in _pages(query if strays else self._between(query, ids)):
            number = _TRANSACTION.fullmatch(each.id)
            if (int(number[1]) in ids) if number else strays:
                yield each.id, each.to_dict() or {}

    def _between(self, query: firestore.Query, ids: range) -> firestore.Query:
        """Leave out what cannot be in a range, as ids are ordered as text."""
        same_digits = len(str(ids.start)) == len(str(ids.stop))
        first = self._collection.document(f"txn_{ids.start if same_digits else 0}")
        end = self._collection.document(f"txn_{ids.stop}")
        return query.where(filter=FieldFilter("__name__", ">=", first)).where(
            filter=FieldFilter("__name__", "<", end)
        )

    def some(self, event_ids: Sequence[str], fields: Collection[str]) -> dict[str, dict[str, Any]]:
        """Answer those documents of some events that are there, by id."""
        wanted = [self._collection.document(each) for each in event_ids]

        def found() -> dict[str, dict[str, Any]]:
            snapshots = self._client.get_all(wanted, fields, timeout=TIMEOUT_S, retry=None)
            return {each.id: each.to_dict() or {} for each in snapshots if each.exists}

        return _AGAIN(found)()


def _pages(query: firestore.Query) -> Iterator[Any]:
    """Give what a query finds, in the order of ids."""
    query = query.order_by("__name__").limit(PAGE_SIZE)
    while page := _AGAIN(query.get)(timeout=PAGE_TIMEOUT_S, retry=None):
        yield from page
        query = query.start_after(page[-1])
