"""The messages of one subscription: those that wait, those that are out, those that come back.

A pure state machine. It knows neither clock nor network: whoever calls it says what time it is,
in seconds of a clock that never steps back.
"""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush

from devstack.emulators.pubsub.delivery import Consumer, Lane, Lease, Message, Rules
from devstack.emulators.pubsub.wire import Wire

# One batch holds no more than this, or a single message that is larger.
BATCH_BYTES = 3_000_000
# What a message costs in memory besides its own bytes.
_OVERHEAD_BYTES = 1_500
# So many acknowledged messages are kept for a seek into the past, where they are kept at all.
_RETAINED_MESSAGES = 10_000


class Backlog:
    """Every message of a subscription that is not settled yet.

    `lease_numbers` must never repeat: a number tells one delivery from every other.
    """

    def __init__(self, rules: Rules, lease_numbers: Iterator[int]) -> None:
        self.rules = rules
        self.memory_bytes = 0
        self._lease_numbers = lease_numbers
        self._keyed: dict[str, Lane] = {}
        self._ready: deque[Lane] = deque()
        # A heap of the lanes that go on at a time; the middle only breaks ties.
        self._resting: list[tuple[float, int, Lane]] = []
        self._rests = itertools.count()
        self._leases: dict[int, Lease] = {}
        # A heap of when to look at which lease: one that was extended is looked at too early
        # and put back, one that has ended meanwhile is passed over.
        self._alarms: list[tuple[float, int]] = []
        self._given_up: list[Message] = []
        self._retained: deque[Wire] = deque(maxlen=_RETAINED_MESSAGES)

    def offer(self, published: Wire) -> None:
        """Add a message at the end of its lane."""
        lane = self._lane_of(published)
        message = Message(published, published.ByteSize(), lane)
        lane.waiting.append(message)
        self.memory_bytes += message.size + _OVERHEAD_BYTES

    def take(self, consumer: Consumer, limit: int, now_s: float) -> list[Lease]:
        """Lend at most `limit` messages to `consumer`, those of the longest waiting lanes."""
        leases: list[Lease] = []
        size = 0
        while self._ready and len(leases) < limit and size < BATCH_BYTES and consumer.has_room():
            lane = self._ready[0]
            lease = self._lend(lane.send(), consumer, now_s)
            leases.append(lease)
            size += lease.message.size
            if not lane.waiting:
                self._ready.popleft()
        if self._ready and self._ready[0].out:
            self._ready.popleft()  # Its batch is out: what did not fit waits for the next.
        return leases

    def acknowledge(self, numbers: Iterable[int], now_s: float) -> list[int]:
        """Settle what these leases lent; answer the numbers that are no lease (any more)."""
        leases, unknown = self._find(numbers)
        for lease in leases:
            message = lease.message
            message.acknowledged = True
            self._end(lease)
            for settled in message.lane.settle():
                self._forget(settled)
                self.retain(settled.published)
            self._go_on(message.lane, now_s)
        return unknown

    def extend(self, numbers: Iterable[int], seconds: float, now_s: float) -> list[int]:
        """Let these leases end so long from now; answer the numbers that are no lease."""
        leases, unknown = self._find(numbers)
        for lease in leases:
            if now_s + seconds < lease.deadline_s:
                self._set_alarm(now_s + seconds, lease.number)
            lease.deadline_s = now_s + seconds
        return unknown

    def reject(self, numbers: Iterable[int], now_s: float) -> list[int]:
        """Take back what these leases lent, as failed; answer the numbers that are no lease."""
        leases, unknown = self._find(numbers)
        self._fail(leases, now_s)
        return unknown

    def advance(self, now_s: float) -> bool:
        """End the leases and rests that are over; say whether there is something to take."""
        self._fail(self._expired(now_s), now_s)
        while self._resting and self._resting[0][0] <= now_s:
            self._ready.append(heappop(self._resting)[2])
        return bool(self._ready)

    def give_up(self) -> list[Message]:
        """Hand over the messages that failed too often; the backlog has forgotten them."""
        given_up, self._given_up = self._given_up, []
        return given_up

    def retain(self, published: Wire) -> None:
        """Keep an acknowledged message for a later seek, if the rules say so."""
        if self.rules.retain_acknowledged:
            self._retained.append(published)

    def withdraw(self) -> list[Wire]:
        """End every lease and list all messages still known, retained ones too, as published."""
        lanes = {
            *self._ready,
            *(lane for _, _, lane in self._resting),
            *(lease.message.lane for lease in self._leases.values()),
        }
        known = [message.published for lane in lanes for message in (*lane.out, *lane.waiting)]
        for lease in list(self._leases.values()):
            self._end(lease)
        return sorted([*self._retained, *known], key=lambda each: int(each.message_id))

    def _lane_of(self, published: Wire) -> Lane:
        key = published.ordering_key if self.rules.ordered else ""
        lane = self._keyed.get(key)
        if lane is None:
            lane = Lane(key)
            self._ready.append(lane)
            if key:
                self._keyed[key] = lane
        return lane

    def _lend(self, message: Message, consumer: Consumer, now_s: float) -> Lease:
        deadline_s = now_s + consumer.ack_deadline_s
        lease = Lease(next(self._lease_numbers), message, consumer, deadline_s)
        message.lease = lease
        consumer.charge(message)
        self._leases[lease.number] = lease
        self._set_alarm(deadline_s, lease.number)
        return lease

    def _end(self, lease: Lease) -> None:
        del self._leases[lease.number]
        lease.message.lease = None
        lease.consumer.release(lease.message)

    def _find(self, numbers: Iterable[int]) -> tuple[list[Lease], list[int]]:
        leases, unknown = [], []
        for number in dict.fromkeys(numbers):
            lease = self._leases.get(number)
            if lease is None:
                unknown.append(number)
            else:
                leases.append(lease)
        return leases, unknown

    def _fail(self, leases: list[Lease], now_s: float) -> None:
        # All failures are counted before the first message draws those after it back.
        for lease in leases:
            lease.message.failures += 1
        for lease in leases:
            if lease.message.lease is lease:
                self._take_back(lease.message, now_s)

    def _take_back(self, message: Message, now_s: float) -> None:
        lane = message.lane
        returned = lane.rewind(message)
        for each in returned:
            each.acknowledged = False
            if each.lease:
                self._end(each.lease)
        hopeless = [each for each in returned if self.rules.gives_up(each.failures)]
        lane.waiting.extendleft(each for each in reversed(returned) if each not in hopeless)
        for each in hopeless:
            self._forget(each)
        self._given_up += hopeless
        self._go_on(lane, now_s)

    def _go_on(self, lane: Lane, now_s: float) -> None:
        """Make the next batch of a lane available, unless one is out or none is left."""
        if lane.out:
            return
        if not lane.waiting:
            self._keyed.pop(lane.key, None)
        elif rest_s := self.rules.backoff_s(lane.waiting[0].failures):
            heappush(self._resting, (now_s + rest_s, next(self._rests), lane))
        else:
            self._ready.append(lane)

    def _forget(self, message: Message) -> None:
        self.memory_bytes -= message.size + _OVERHEAD_BYTES

    def _set_alarm(self, at_s: float, number: int) -> None:
        if len(self._alarms) > 4 * len(self._leases) + 1_000:
            self._alarms = [(each.deadline_s, each.number) for each in self._leases.values()]
            heapify(self._alarms)
        heappush(self._alarms, (at_s, number))

    def _expired(self, now_s: float) -> list[Lease]:
        expired = {}
        while self._alarms and self._alarms[0][0] <= now_s:
            _, number = heappop(self._alarms)
            lease = self._leases.get(number)
            if lease and lease.deadline_s <= now_s:
                expired[number] = lease
            elif lease:
                heappush(self._alarms, (lease.deadline_s, number))
        return list(expired.values())
