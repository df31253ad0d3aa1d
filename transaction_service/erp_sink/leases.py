"""The deliveries in our hands."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence

import structlog
from google.api_core.exceptions import GoogleAPICallError
from google.pubsub_v1 import SubscriberAsyncClient

from transaction_service.topology import ACK_DEADLINE_S

# Two renewals may fail before a lease runs out.
RENEW_INTERVAL_S = ACK_DEADLINE_S / 3
CALL_TIMEOUT_S = 10.0
MAX_ACK_IDS = 1_000  # A request may hold 512 KiB, and an id takes about 200 bytes.

_log = structlog.get_logger()


class Leases:
    """Holds deliveries until they are acknowledged or let go.

    Leases are renewed for as long as this process lives, however long Firestore is away: one
    that runs out counts as a failed delivery, and enough of those make a dead letter. No call
    raises when Pub/Sub misses it: it delivers once more, which is harmless.
    """

    def __init__(self, client: SubscriberAsyncClient, subscription: str) -> None:
        self._client = client
        self._subscription = subscription
        self._held: set[str] = set()
        self._shrunk = asyncio.Event()

    def hold(self, ack_ids: Sequence[str]) -> None:
        """Take charge of deliveries just received."""
        self._held.update(ack_ids)

    async def acknowledge(self, ack_ids: Sequence[str]) -> None:
        """Tell Pub/Sub that these deliveries are done with, for good."""
        for some in _split(ack_ids):
            call = self._client.acknowledge(
                subscription=self._subscription, ack_ids=some, timeout=CALL_TIMEOUT_S, retry=None
            )
            await _unless_missed("acknowledge", call)
        self._drop(ack_ids)

    async def let_go(self, ack_ids: Sequence[str]) -> None:
        """Have these deliveries made again, to this process or another."""
        await self._set_deadline(ack_ids, 0)
        self._drop(ack_ids)

    async def let_all_go(self) -> None:
        await self.let_go(list(self._held))

    async def keep(self) -> None:
        """Renew every lease in time, until cancelled."""
        while True:
            await asyncio.sleep(RENEW_INTERVAL_S)
            await self._set_deadline(list(self._held), ACK_DEADLINE_S)

    async def until_at_most(self, count: int) -> None:
        """Return when no more than `count` deliveries are held."""
        while len(self._held) > count:
            self._shrunk.clear()
            await self._shrunk.wait()

    def _drop(self, ack_ids: Sequence[str]) -> None:
        self._held.difference_update(ack_ids)
        self._shrunk.set()

    async def _set_deadline(self, ack_ids: Sequence[str], deadline_s: int) -> None:
        for some in _split(ack_ids):
            call = self._client.modify_ack_deadline(
                subscription=self._subscription,
                ack_ids=some,
                ack_deadline_seconds=deadline_s,
                timeout=CALL_TIMEOUT_S,
                retry=None,
            )
            await _unless_missed("modify_ack_deadline", call)


def _split(ack_ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ack_ids), MAX_ACK_IDS):
        yield list(ack_ids[start : start + MAX_ACK_IDS])


async def _unless_missed(name: str, call: Awaitable[object]) -> None:
    try:
        await call
    except GoogleAPICallError as error:
        _log.warning("Pub/Sub missed a call", call=name, error=repr(error))
