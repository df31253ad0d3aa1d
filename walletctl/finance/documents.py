"""The event documents in Firestore, as the sink wrote them."""

import re
from collections.abc import Collection, Iterator
from typing import Any

from google.cloud import firestore

TIMEOUT_S = 10.0
PAGE_SIZE = 500

_NO_ID = re.compile(r"|\.|\.\.|__.*__|.*/.*", re.DOTALL)


class Documents:
    """Every call raises `GoogleAPICallError`."""

    def __init__(self, client: firestore.Client, collection: str) -> None:
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

    def all(self, fields: Collection[str]) -> Iterator[dict[str, Any]]:
        """Give every document, with these fields of it, in the order of ids; a page in memory."""
        query = self._collection.select(fields).order_by("__name__").limit(PAGE_SIZE)
        page = query.get(timeout=TIMEOUT_S, retry=None)
        while page:
            yield from (each.to_dict() or {} for each in page)
            page = query.start_after(page[-1]).get(timeout=TIMEOUT_S, retry=None)
