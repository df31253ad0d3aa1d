"""Profit and loss in Firestore, as the sink sums it up."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

TIMEOUT_S = 10.0
PAGE_SIZE = 500


class Aggregates:
    """Every call raises `GoogleAPICallError`."""

    def __init__(self, client: firestore.Client, collection: str) -> None:
        self._collection = client.collection(collection)

    def between(self, start: date | None, end: date | None) -> Iterator[dict[str, Any]]:
        """Give every aggregate of the days from `start` to before `end`; a page in memory.

        One that is spread over shards comes as often: whoever reads them adds them up.
        """
        query = self._collection.order_by("effective_date").limit(PAGE_SIZE)
        for operator, day in ((">=", start), ("<", end)):
            if day:
                wanted = FieldFilter("effective_date", operator, day.isoformat())
                query = query.where(filter=wanted)
        page = query.get(timeout=TIMEOUT_S, retry=None)
        while page:
            yield from (each.to_dict() or {} for each in page)
            page = query.start_after(page[-1]).get(timeout=TIMEOUT_S, retry=None)
