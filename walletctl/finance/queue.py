"""The dead letters' subscription, looked through without taking anything away."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC
from types import TracebackType
from typing import Self

from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.types import PubsubMessage, ReceivedMessage

from shared.finance_settings import Topology
from walletctl.finance.letters import Letter, event_of, replayed_attributes

# Who is killed leaves the letters to others after so long.
LEASE_S = 60
RENEWAL_S = 20.0
ROUND_S = 2.0
LOOK_S = 120.0
MAX_LEASED = 100_000
TIMEOUT_S = 10.0
CHUNK = 1_000


class DeadLetterQueue:
    """Leases letters; those that are not settled at its end are given back.

    Pub/Sub cannot be browsed: a letter that is leased here is hidden from other operators as long.
    Every call raises `GoogleAPICallError`.
    """

    def __init__(
        self, subscriber: SubscriberClient, publisher: PublisherClient, topology: Topology
    ) -> None:
        self._subscriber = subscriber
        self._publisher = publisher
        self._topology = topology
        self._ack_ids: dict[str, str] = {}
        self._renewed_s = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._modify(list(self._ack_ids.values()), 0)

    def letters(self) -> Iterator[Letter]:
        """Lease letter after letter, each once, until a round brings nothing new.

        Looks for 120 s and at 100,000 letters at most, else raises `TimeoutError`.
        """
        deadline_s = time.monotonic() + LOOK_S
        while new := self._round():
            yield from map(_letter_of, new)
            self.keep()
            if time.monotonic() > deadline_s or len(self._ack_ids) > MAX_LEASED:
                raise TimeoutError("there are too many dead letters to look through: use --limit")

    def _round(self) -> Sequence[PubsubMessage]:
        """Lease what comes within 2 s; answer what did not come before."""
        received = self._pull()
        new = [each.message for each in received if each.message.message_id not in self._ack_ids]
        self._ack_ids |= {each.message.message_id: each.ack_id for each in received}
        self._modify([each.ack_id for each in received], LEASE_S)
        return new

    def _pull(self) -> Sequence[ReceivedMessage]:
        try:
            answer = self._subscriber.pull(
                subscription=self._topology.dead_letter_subscription,
                max_messages=CHUNK,
                timeout=ROUND_S,
                retry=None,
            )
        except DeadlineExceeded:
            return []
        return answer.received_messages

    def keep(self) -> None:
        """Renew the leases where it is time to. To be called every few seconds."""
        if time.monotonic() - self._renewed_s > RENEWAL_S:
            self._modify(list(self._ack_ids.values()), LEASE_S)
            self._renewed_s = time.monotonic()

    def publish_again(self, letter: Letter, reason: str) -> None:
        """Return when the events' topic has the letter durably, as it was and with `reason`."""
        message = PubsubMessage(
            data=letter.data,
            attributes=replayed_attributes(letter, reason),
            ordering_key=letter.ordering_key,
        )
        self._publisher.publish(
            topic=self._topology.events_topic, messages=[message], timeout=TIMEOUT_S, retry=None
        )

    def settle(self, letter: Letter) -> None:
        """Take a letter away, for good."""
        self._subscriber.acknowledge(
            subscription=self._topology.dead_letter_subscription,
            ack_ids=[self._ack_ids[letter.letter_id]],
            timeout=TIMEOUT_S,
            retry=None,
        )
        del self._ack_ids[letter.letter_id]

    def _modify(self, ack_ids: list[str], seconds: int) -> None:
        for start in range(0, len(ack_ids), CHUNK):
            self._subscriber.modify_ack_deadline(
                subscription=self._topology.dead_letter_subscription,
                ack_ids=ack_ids[start : start + CHUNK],
                ack_deadline_seconds=seconds,
                timeout=TIMEOUT_S,
                retry=None,
            )


def _letter_of(message: PubsubMessage) -> Letter:
    attributes = dict(message.attributes)
    return Letter(
        letter_id=message.message_id,
        data=message.data,
        attributes=attributes,
        ordering_key=message.ordering_key,
        published_at=PubsubMessage.pb(message).publish_time.ToDatetime(tzinfo=UTC),
        event=event_of(message.data, attributes),
    )
