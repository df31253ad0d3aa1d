"""The dead letter of the story: found, mended, and replayed."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import types
from privy.erp.v1.event_pb2 import CostRevenueEvent
from privy.wallet.v1 import ledger_pb2

from shared.finance_settings import Topology
from transaction_service.topology import PubSub

LETTER_DEADLINE_S = 30.0
PULL_TIMEOUT_S = 2.0
CALL_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that the sink could not take; `attributes` say why."""

    ack_id: str
    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str

    @property
    def event_id(self) -> str:
        """The transaction's id, of which finance has no document."""
        return self.attributes["ce-id"]


class DeadLetterDesk:
    """The dead letters' subscription, and the topic that they go back to.

    Raises `GoogleAPICallError`.
    """

    def __init__(self, topology: Topology, pubsub: PubSub) -> None:
        self._topology = topology
        self._pubsub = pubsub

    async def find(self, event_id: str) -> DeadLetter:
        """Wait for the dead letter of an event; raises `TimeoutError` after 30 s."""
        async with asyncio.timeout(LETTER_DEADLINE_S):
            while True:
                for each in await self._pull():
                    if each.event_id == event_id:
                        return each

    async def replay(self, letter: DeadLetter, data: bytes) -> None:
        """Publish mended `data` in the letter's place; only then is the letter done with."""
        message = types.PubsubMessage(
            data=data, attributes=dict(letter.attributes), ordering_key=letter.ordering_key
        )
        await self._pubsub.publisher.publish(
            topic=self._topology.events_topic,
            messages=[message],
            timeout=CALL_TIMEOUT_S,
            retry=None,
        )
        await self._pubsub.subscriber.acknowledge(
            subscription=self._topology.dead_letter_subscription,
            ack_ids=[letter.ack_id],
            timeout=CALL_TIMEOUT_S,
            retry=None,
        )

    async def _pull(self) -> list[DeadLetter]:
        try:
            answer = await self._pubsub.subscriber.pull(
                subscription=self._topology.dead_letter_subscription,
                max_messages=10,
                timeout=PULL_TIMEOUT_S,
                retry=None,
            )
        except DeadlineExceeded:
            return []
        return [_letter(each) for each in answer.received_messages]


def mended(data: bytes) -> bytes:
    """Say what the event forgot: of which kind it is."""
    event = CostRevenueEvent.FromString(data)
    event.kind = ledger_pb2.TRANSACTION_KIND_TOP_UP
    return event.SerializeToString()


def _letter(received: types.ReceivedMessage) -> DeadLetter:
    message = received.message
    return DeadLetter(
        ack_id=received.ack_id,
        data=message.data,
        attributes=dict(message.attributes),
        ordering_key=message.ordering_key,
    )
