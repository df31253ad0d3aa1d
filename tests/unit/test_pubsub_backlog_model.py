"""The stand-in's backlog against a model: whatever happens, nothing is lost or out of order.

Time is virtual here, so that leases and backoffs of minutes cost nothing.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from devstack.emulators.pubsub.backlog import Backlog
from devstack.emulators.pubsub.delivery import Consumer, Lease, Rules
from devstack.emulators.pubsub.wire import PubsubMessage

RULES = Rules(ordered=True, minimum_backoff_s=5, maximum_backoff_s=20, max_delivery_attempts=3)


class Deliveries(RuleBasedStateMachine):
    """Remembers, for each lane, what is not settled yet, and the batch that is out of it.

    Messages are known by their ids. Those without an ordering key have a lane each.
    """

    def __init__(self) -> None:
        super().__init__()
        self.backlog = Backlog(RULES, itertools.count(1))
        self.consumers = [Consumer(10, max_messages=3), Consumer(60)]
        self.now_s = 1_000.0
        self.ids = itertools.count(1)
        self.lanes: dict[int, str] = {}
        self.unsettled: defaultdict[str, list[int]] = defaultdict(list)
        self.out: defaultdict[str, list[int]] = defaultdict(list)
        self.leases: dict[int, Lease] = {}
        self.acknowledged: set[int] = set()
        self.failures: Counter[int] = Counter()

    @rule(key=st.sampled_from(["", "a", "b"]), count=st.integers(1, 4))
    def publish(self, key: str, count: int) -> None:
        for _ in range(count):
            each = next(self.ids)
            self.lanes[each] = key or f"alone {each}"
            self.unsettled[self.lanes[each]].append(each)
            self.backlog.offer(PubsubMessage(message_id=str(each), ordering_key=key, data=b"body"))

    @rule(consumer=st.integers(0, 1), limit=st.integers(1, 5))
    def take(self, consumer: int, limit: int) -> None:
        """A lane's batch is the first of what is unsettled, and none of it was out before."""
        leases = self.backlog.take(self.consumers[consumer], limit, self.now_s)
        taken = {message_id(lease): lease for lease in leases}
        assert len(taken) == len(leases) <= limit
        for lane in {self.lanes[each] for each in taken}:
            batch = [each for each in taken if self.lanes[each] == lane]
            assert not self.out[lane]
            assert batch == self.unsettled[lane][: len(batch)]
            self.out[lane] = batch
        self.leases |= taken

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        for each in self.some(data):
            assert not self.backlog.acknowledge([self.leases.pop(each).number], self.now_s)
            self.acknowledged.add(each)
            out = self.out[self.lanes[each]]
            while out and out[0] in self.acknowledged:
                self.unsettled[self.lanes[each]].remove(out.pop(0))

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def reject(self, data: st.DataObject) -> None:
        rejected = self.some(data)
        numbers = [self.leases[each].number for each in rejected]
        assert not self.backlog.reject(numbers, self.now_s)
        self.fail(rejected)

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), seconds=st.integers(1, 100))
    def extend(self, data: st.DataObject, seconds: int) -> None:
        numbers = [self.leases[each].number for each in self.some(data)]
        assert not self.backlog.extend(numbers, seconds, self.now_s)

    @rule(seconds=st.floats(0, 70))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        expired = [each for each, lease in self.leases.items() if lease.deadline_s <= self.now_s]
        self.backlog.advance(self.now_s)
        self.fail(expired)

    @invariant()
    def consumers_are_charged_for_what_they_hold(self) -> None:
        for consumer in self.consumers:
            held = [each for each in self.leases.values() if each.consumer is consumer]
            assert consumer.messages == len(held)
            assert consumer.bytes == sum(each.message.size for each in held)
            assert consumer.max_messages == 0 or len(held) <= consumer.max_messages

    def teardown(self) -> None:
        """In the end everything is settled, in order, and nothing of it is left."""
        while any(self.unsettled.values()):
            before = self.progress()
            self.wait(1_000)
            consumer = Consumer(10)
            for lease in self.backlog.take(consumer, 100, self.now_s):
                each = message_id(lease)
                assert each == self.unsettled[self.lanes[each]].pop(0)
                self.backlog.acknowledge([lease.number], self.now_s)
            assert self.progress() > before, "nothing comes any more"
        assert self.backlog.memory_bytes == 0

    def fail(self, failed: Iterable[int]) -> None:
        """Take the batches back from the first failure on; give up what failed too often."""
        self.failures.update(failed)
        for lane in {self.lanes[each] for each in failed}:
            out = self.out[lane]
            start = min(out.index(each) for each in failed if self.lanes[each] == lane)
            self.out[lane], returned = out[:start], out[start:]
            self.acknowledged -= set(returned)
            for each in returned:
                self.leases.pop(each, None)
        hopeless = {each for each in failed if RULES.gives_up(self.failures[each])}
        assert {int(each.published.message_id) for each in self.backlog.give_up()} == hopeless
        for each in hopeless:
            self.unsettled[self.lanes[each]].remove(each)

    def progress(self) -> tuple[int, int]:
        return -sum(map(len, self.unsettled.values())), sum(self.failures.values())

    def some(self, data: st.DataObject) -> list[int]:
        return sorted(data.draw(st.sets(st.sampled_from(sorted(self.leases)), min_size=1)))


def message_id(lease: Lease) -> int:
    return int(lease.message.published.message_id)


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
