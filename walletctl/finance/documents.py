"""The event documents in Firestore, as the sink wrote them."""

import re

from google.cloud import firestore

TIMEOUT_S = 10.0

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
