"""Puts what can never become a document where people look at it.

A dead letter is the message as it was, ordering key and all, with attributes that say why
(`shared/dead_letter.py`). A letter that is replayed with them and fails again keeps its
first time and counts one attempt more.
"""

from collections.abc import Callable
from datetime import datetime

from google.pubsub_v1 import PublisherAsyncClient, types

from shared.dead_letter import (
    ATTEMPT,
    DETAIL,
    FIRST_SEEN_TIME,
    MAX_ATTRIBUTE_BYTES,
    REASON,
    count_of,
)
from transaction_service.erp_sink.delivery import DeadLetter

PUBLISH_TIMEOUT_S = 10.0


class DeadLetters:
    """The dead-letter topic."""

    def __init__(
        self, publisher: PublisherAsyncClient, topic: str, now: Callable[[], datetime]
    ) -> None:
        self._publisher = publisher
        self._topic = topic
        self._now = now

    async def publish(self, letter: DeadLetter) -> None:
        """Return when Pub/Sub has `letter` durably. Raises `GoogleAPICallError`."""
        message = types.PubsubMessage(
            data=letter.delivery.data,
            attributes=attributes_of(letter, self._now()),
            ordering_key=letter.delivery.ordering_key,
        )
        await self._publisher.publish(
            topic=self._topic, messages=[message], timeout=PUBLISH_TIMEOUT_S, retry=None
        )


def attributes_of(letter: DeadLetter, now: datetime) -> dict[str, str]:
    """Answer the message's own attributes and those that make it a dead letter."""
    own = letter.delivery.attributes
    detail = letter.fault.detail.encode()[:MAX_ATTRIBUTE_BYTES].decode(errors="ignore")
    return {
        **own,
        REASON: letter.fault.reason,
        DETAIL: detail,
        FIRST_SEEN_TIME: own.get(FIRST_SEEN_TIME) or now.isoformat(),
        ATTEMPT: str(count_of(own.get(ATTEMPT, "")) + 1),
    }
