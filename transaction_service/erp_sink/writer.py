"""Turns deliveries into effects in Firestore and dead letters, a pile at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from itertools import compress
from operator import not_

import structlog
from google.api_core.exceptions import GoogleAPICallError

from shared.telemetry import Metrics
from transaction_service.erp_sink.dead_letters import DeadLetters
from transaction_service.erp_sink.delivery import DeadLetter, Delivery, Pile, sort
from transaction_service.erp_sink.effects import Effects, commits_of
from transaction_service.erp_sink.event import Fault
from transaction_service.erp_sink.leases import Leases

# A commit takes at most 500 writes and 4 MB. So many leave room for the aggregates of most piles,
# that one commit takes them; and a document takes several times the bytes of its event, for it
# holds the names of its fields.
MAX_DELIVERIES = 400
MAX_BYTES = 1024 * 1024

_log = structlog.get_logger()


class Writer:
    """Acknowledges a delivery only when its document, or its dead letter, is durable."""

    def __init__(
        self,
        write: Callable[[Effects], Awaitable[Mapping[str, str]]],
        dead_letters: DeadLetters,
        leases: Leases,
        account_codes: Collection[str],
        metrics: Metrics,
    ) -> None:
        """`write` has effects and answers why some can never be had, by document id."""
        self._write = write
        self._dead_letters = dead_letters
        self._leases = leases
        self._account_codes = account_codes
        self._metrics = metrics

    async def run(self, queue: asyncio.Queue[Delivery]) -> None:
        """Settle what is on `queue`, until cancelled."""
        while True:
            taken = await _take(queue)
            await self._settle(taken)
            for _ in taken:
                queue.task_done()

    async def _settle(self, deliveries: Sequence[Delivery]) -> None:
        pile = sort(deliveries, self._account_codes)
        await self._bury(pile.dead_letters)
        refused: dict[str, str] = {}
        for effects in commits_of(pile.effects):
            refused |= await self._write(effects)
        written = [
            each.ack_id
            for document_id, same in pile.deliveries.items()
            if document_id not in refused
            for each in same
        ]
        await self._leases.acknowledge(written)
        self._metrics.increment("deliveries_written", len(written))
        await self._bury(list(_refused(pile, refused)))

    async def _bury(self, letters: Sequence[DeadLetter]) -> None:
        durable = await asyncio.gather(*map(self._published, letters))
        ack_ids = [each.delivery.ack_id for each in letters]
        await self._leases.acknowledge(list(compress(ack_ids, durable)))
        await self._leases.let_go(list(compress(ack_ids, map(not_, durable))))

    async def _published(self, letter: DeadLetter) -> bool:
        reason, delivery = letter.fault.reason, letter.delivery
        try:
            await self._dead_letters.publish(letter)
        except GoogleAPICallError as error:
            _log.warning("a dead letter was not published; it will come again", error=repr(error))
            return False
        self._metrics.increment("dead_letters", tags=[f"reason:{reason}"])
        _log.warning(
            "dead letter",
            reason=reason,
            detail=letter.fault.detail,
            event_id=delivery.attributes.get("ce-id", ""),
            traceparent=delivery.attributes.get("traceparent", ""),
        )
        return True


def _refused(pile: Pile, refused: Mapping[str, str]) -> Iterator[DeadLetter]:
    for document_id, why in refused.items():
        for each in pile.deliveries[document_id]:
            yield DeadLetter(each, Fault("DOCUMENT_REFUSED", why))


async def _take(queue: asyncio.Queue[Delivery]) -> list[Delivery]:
    """Wait for a first delivery, then take what else is there: no timer."""
    taken = [await queue.get()]
    size_bytes = len(taken[0].data)
    while len(taken) < MAX_DELIVERIES and size_bytes < MAX_BYTES and not queue.empty():
        taken.append(queue.get_nowait())
        size_bytes += len(taken[-1].data)
    return taken
