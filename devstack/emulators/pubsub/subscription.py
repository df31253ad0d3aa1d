"""A subscription as the server holds it: its settings, its backlog, and who waits for it."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from devstack.emulators.pubsub.backlog import Backlog
from devstack.emulators.pubsub.checks import invalid, too_late
from devstack.emulators.pubsub.delivery import Consumer, Lease, Message
from devstack.emulators.pubsub.filters import parse_filter
from devstack.emulators.pubsub.settings import rules_of
from devstack.emulators.pubsub.wire import Wire
from devstack.emulators.serving import Refusal

_MAX_MEMORY_BYTES = 512 * 1024 * 1024


class Bell:
    """Wakes everyone who waits for something to change."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self) -> None:
        await self._event.wait()


class Subscription:
    """Passes a topic's messages on to consumers. Its settings have been checked before."""

    def __init__(self, settings: Wire, lease_numbers: Iterator[int]) -> None:
        self.settings = settings
        self.bell = Bell()
        self._wants = parse_filter(settings.filter)
        self._lease_numbers = lease_numbers
        self._backlog = Backlog(rules_of(settings), lease_numbers)
        self._closed: Refusal | None = None

    def configure(self, settings: Wire) -> None:
        self.settings = settings
        self._backlog.rules = rules_of(settings)

    def close(self, why: Refusal) -> None:
        """Refuse from now on whoever takes messages or waits for some."""
        self._closed = why
        self.bell.ring()

    def is_full(self) -> bool:
        return self._backlog.memory_bytes > _MAX_MEMORY_BYTES

    def offer(self, messages: Iterable[Wire]) -> None:
        for each in messages:
            if self._wants(each.attributes):
                self._backlog.offer(each)
        self.bell.ring()

    def take(self, consumer: Consumer, limit: int, now_s: float) -> list[Lease]:
        if self._closed:
            raise self._closed
        return self._backlog.take(consumer, limit, now_s)

    def acknowledge(self, ack_ids: Sequence[str], now_s: float) -> None:
        unknown = self._backlog.acknowledge(self._numbers(ack_ids), now_s)
        self.bell.ring()
        self._tell(unknown)

    def modify_deadline(self, ack_ids: Sequence[str], seconds: int, now_s: float) -> None:
        """Let the leases end so many seconds from now; with 0 the messages count as failed."""
        numbers = self._numbers(ack_ids)
        if seconds:
            unknown = self._backlog.extend(numbers, seconds, now_s)
        else:
            unknown = self._backlog.reject(numbers, now_s)
            self.bell.ring()
        self._tell(unknown)

    def advance(self, now_s: float) -> list[Message]:
        """Let time pass; answer the messages that failed too often, forgotten here by now."""
        if self._backlog.advance(now_s):
            self.bell.ring()
        return self._backlog.give_up()

    def seek(self, time_ns: int) -> None:
        """Make the messages published at that time (Unix) or later new; settle all others."""
        known = self._backlog.withdraw()
        self._backlog = Backlog(rules_of(self.settings), self._lease_numbers)
        for published in known:
            if published.publish_time.ToNanoseconds() < time_ns:
                self._backlog.retain(published)
            else:
                self._backlog.offer(published)
        self.bell.ring()

    def ack_id(self, lease_number: int) -> str:
        return f"{self.settings.name}:{lease_number}"

    def _numbers(self, ack_ids: Iterable[str]) -> list[int]:
        return [self._number(each) for each in ack_ids]

    def _number(self, ack_id: str) -> int:
        name, _, number = ack_id.rpartition(":")
        if name != self.settings.name or not number.isdecimal():
            raise invalid(f"Invalid ack id (ack_id={ack_id})")
        return int(number)

    def _tell(self, unknown: Sequence[int]) -> None:
        # Only exactly-once delivery tells a consumer that it came too late.
        if unknown and self.settings.enable_exactly_once_delivery:
            raise too_late(self.ack_id(each) for each in unknown)
