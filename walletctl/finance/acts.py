"""The audit trail: who did what to which event, and why, in Firestore."""

from dataclasses import asdict, dataclass
from typing import Any

from google.cloud import firestore

COLLECTION = "operator_acts"
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Act:
    """What an operator is about to do; `kind` is REPLAY, DISCARD or REPUBLISH.

    The first two are done to a letter, whose reason is `fault`; the last to so many events at once,
    from `event_id` to `last_event_id`.
    """

    operator: str
    kind: str
    reason: str
    event_id: str
    letter_id: str = ""
    wallet_id: str = ""
    fault: str = ""
    last_event_id: str = ""
    events: int = 1


class OperatorActs:
    """Every call raises `GoogleAPICallError`."""

    def __init__(self, client: firestore.Client) -> None:
        self._collection = client.collection(COLLECTION)

    def record(self, act: Act) -> None:
        """Return when the act, with the server's time, is in the trail."""
        fields = {**asdict(act), "act_time": firestore.SERVER_TIMESTAMP}
        self._collection.document().create(fields, timeout=TIMEOUT_S, retry=None)

    def latest(self, limit: int) -> list[dict[str, Any]]:
        """Answer the newest acts, the newest first."""
        query = self._collection.order_by("act_time", direction="DESCENDING").limit(limit)
        found = [each.to_dict() or {} for each in query.stream(timeout=TIMEOUT_S, retry=None)]
        return [each | {"act_time": each["act_time"].isoformat()} for each in found]
