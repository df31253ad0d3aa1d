"""The coalescer: what shares a batch, who hears of which result, and what bounds it."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextvars import ContextVar

import pytest

from shared.coalesce import Coalescer
from shared.errors import ResourceExhausted


class Doubler:
    """Answers twice each number, once its gate is open; refuses negative ones."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.started: list[list[int]] = []
        self.running = 0
        self.most_running = 0

    async def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.started.append(list(items))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await self.gate.wait()
        self.running -= 1
        return [ValueError(item) if item < 0 else 2 * item for item in items]

    @property
    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.started]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (what is awaited has no event)
            await asyncio.sleep(0)


def submit_all(coalescer: Coalescer[int, int], items: Sequence[int]) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(coalescer.submit(item)) for item in items]


async def test_concurrent_callers_share_one_batch_and_each_gets_its_own_result() -> None:
    """Those who submit in one turn of the loop travel together, in their order."""
    doubler = Doubler()
    coalescer = Coalescer(doubler)

    results = await asyncio.gather(*submit_all(coalescer, range(50)))

    assert results == [2 * item for item in range(50)]
    assert doubler.started == [list(range(50))]


async def test_a_single_item_starts_without_waiting_for_company() -> None:
    """No timer: the batch runs within the next turns of the loop."""
    doubler = Doubler()
    coalescer = Coalescer(doubler)
    task = asyncio.create_task(coalescer.submit(1))

    for _ in range(3):
        await asyncio.sleep(0)

    assert doubler.started == [[1]]
    assert await task == 2


async def test_the_second_slot_opens_only_when_enough_wait() -> None:
    """While a batch runs, 63 items wait for it to end; the 64th opens the second slot."""
    doubler = Doubler()
    doubler.gate.clear()
    coalescer = Coalescer(doubler, second_slot_from=64)
    tasks = submit_all(coalescer, [0])
    await until(lambda: doubler.sizes == [1])

    tasks += submit_all(coalescer, range(63))
    await until(lambda: coalescer.waiting == 63)
    for _ in range(10):
        await asyncio.sleep(0)
    assert doubler.sizes == [1]

    tasks += submit_all(coalescer, [63])
    await until(lambda: doubler.sizes == [1, 64])
    assert coalescer.waiting == 0

    doubler.gate.set()
    await asyncio.gather(*tasks)


async def test_a_first_batch_that_takes_everything_leaves_the_second_slot_open() -> None:
    """Many come at once, and one batch takes them: as many more, later, have the other slot."""
    doubler = Doubler()
    doubler.gate.clear()
    coalescer = Coalescer(doubler, second_slot_from=5)
    tasks = submit_all(coalescer, range(10))
    await until(lambda: doubler.sizes == [10])
    for _ in range(10):
        await asyncio.sleep(0)

    tasks += submit_all(coalescer, range(5))
    await until(lambda: doubler.sizes == [10, 5])

    doubler.gate.set()
    await asyncio.gather(*tasks)


async def test_what_gathers_while_both_slots_are_taken_goes_next_in_full_batches() -> None:
    """No third batch runs; the rest follows in order, at most `max_batch` at a time."""
    doubler = Doubler()
    doubler.gate.clear()
    coalescer = Coalescer(doubler, max_batch=10, second_slot_from=5)
    tasks = submit_all(coalescer, range(45))
    await until(lambda: coalescer.waiting == 25)
    for _ in range(10):
        await asyncio.sleep(0)
    assert doubler.sizes == [10, 10]

    doubler.gate.set()
    await asyncio.gather(*tasks)

    assert doubler.most_running == 2
    assert doubler.sizes == [10, 10, 10, 10, 5]
    assert [item for batch in doubler.started for item in batch] == list(range(45))


async def test_an_items_error_is_raised_to_its_caller_alone() -> None:
    """The others of the batch get their results."""
    coalescer = Coalescer(Doubler())

    fine, refused, also_fine = await asyncio.gather(
        *submit_all(coalescer, [1, -2, 3]), return_exceptions=True
    )

    assert (fine, also_fine) == (2, 6)
    assert isinstance(refused, ValueError)
    assert refused.args == (-2,)


async def test_a_batchs_error_is_raised_to_all_its_callers_and_the_next_batch_runs() -> None:
    """A failed batch neither hangs its callers nor stops the coalescer."""
    faults = [OSError("cable")]

    async def fail_once(items: Sequence[int]) -> Sequence[int]:
        if faults:
            raise faults.pop()
        return items

    coalescer = Coalescer(fail_once)

    results = await asyncio.gather(*submit_all(coalescer, [1, 2]), return_exceptions=True)

    assert [type(each) for each in results] == [OSError, OSError]
    assert await coalescer.submit(3) == 3


@pytest.mark.parametrize("answers", [0, 1, 3])
async def test_a_batch_with_too_few_or_too_many_results_is_an_error_to_all(answers: int) -> None:
    """Nobody gets another's result by a shift of the list."""

    async def miscount(items: Sequence[int]) -> Sequence[int]:
        return [items[0]] * answers

    results = await asyncio.gather(*submit_all(Coalescer(miscount), [1, 2]), return_exceptions=True)

    assert [str(each) for each in results] == [f"2 items were answered with {answers} results"] * 2


@pytest.mark.parametrize("when", ["waiting", "under way"])
async def test_a_cancelled_callers_item_is_still_done(when: str) -> None:
    """The caller hears of its cancellation; batch and neighbours go on."""
    doubler = Doubler()
    doubler.gate.clear()
    coalescer = Coalescer(doubler)
    first = submit_all(coalescer, [0])
    await until(lambda: doubler.running == 1)
    cancelled, neighbour = submit_all(coalescer, [1, 2])
    await until(lambda: coalescer.waiting == 2)
    if when == "under way":
        doubler.gate.set()
        await until(lambda: doubler.running == 0)
        doubler.gate.clear()
        await until(lambda: len(doubler.started) == 2)

    cancelled.cancel()
    doubler.gate.set()
    await asyncio.wait([cancelled, neighbour, *first], timeout=5)

    assert cancelled.cancelled()
    assert neighbour.result() == 4
    assert doubler.started == [[0], [1, 2]]


async def test_a_cancelled_batch_cancels_its_callers_and_the_next_one_runs() -> None:
    """A client that raises CancelledError, as gRPC's does on a closed channel, hangs nobody."""
    cancellations = [asyncio.CancelledError()]

    async def cancel_once(items: Sequence[int]) -> Sequence[int]:
        if cancellations:
            raise cancellations.pop()
        return items

    coalescer = Coalescer(cancel_once)
    tasks = submit_all(coalescer, [1, 2])
    await asyncio.wait(tasks, timeout=5)

    assert all(task.cancelled() for task in tasks)
    assert await coalescer.submit(3) == 3


async def test_too_many_waiting_items_are_refused_at_once() -> None:
    """The bound counts what waits, not what is under way, and frees itself."""
    doubler = Doubler()
    doubler.gate.clear()
    coalescer = Coalescer(doubler, max_waiting=3)
    tasks = submit_all(coalescer, [0])
    await until(lambda: doubler.running == 1)
    tasks += submit_all(coalescer, [1, 2, 3])
    await until(lambda: coalescer.waiting == 3)

    with pytest.raises(ResourceExhausted) as refusal:
        await coalescer.submit(4)
    assert refusal.value.reason == "OVERLOADED"

    doubler.gate.set()
    await asyncio.gather(*tasks)
    assert await coalescer.submit(4) == 8


async def test_heavy_items_count_by_their_weight() -> None:
    """For the bound on what waits, and for whether a second batch is worth while."""
    doubler = Doubler()
    doubler.gate.clear()
    coalescer = Coalescer(doubler, weight=lambda item: item, max_waiting=200)
    tasks = submit_all(coalescer, [1])
    await until(lambda: doubler.running == 1)
    tasks += submit_all(coalescer, [63])
    await until(lambda: coalescer.waiting == 1)
    with pytest.raises(ResourceExhausted):
        await coalescer.submit(138)
    tasks += submit_all(coalescer, [1])
    await until(lambda: doubler.running == 2)
    assert doubler.started == [[1], [63, 1]]
    tasks += submit_all(coalescer, [200])
    await until(lambda: coalescer.waiting == 1)

    doubler.gate.set()
    await asyncio.gather(*tasks)
    assert coalescer.waiting == 0


async def test_batches_that_end_at_once_leave_nothing_waiting() -> None:
    """One that waits for nothing, or fails before it does, ends before another one begins."""

    async def fail(_: Sequence[int]) -> list[int | Exception]:
        raise ValueError("at once")

    coalescer = Coalescer(fail)
    for _ in range(3):
        async with asyncio.timeout(5):
            tasks = submit_all(coalescer, range(100))
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in results] == [ValueError] * 100


async def test_drain_returns_when_all_that_was_submitted_is_done() -> None:
    """Also what waits is done, not only what is under way."""
    doubler = Doubler()
    doubler.gate.clear()
    coalescer = Coalescer(doubler, max_batch=2)
    tasks = submit_all(coalescer, range(7))
    await until(lambda: coalescer.waiting == 5)
    draining = asyncio.create_task(coalescer.drain())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not draining.done()

    doubler.gate.set()
    await draining

    assert coalescer.waiting == 0
    assert [task.result() for task in tasks] == [2 * item for item in range(7)]


async def test_batches_run_in_the_context_of_the_coalescers_maker() -> None:
    """A batch serves many callers, so it carries no single caller's trace."""
    trace: ContextVar[str] = ContextVar("trace", default="none")
    seen: list[str] = []

    async def look(items: Sequence[int]) -> Sequence[int]:
        seen.append(trace.get())
        return items

    trace.set("maker")
    coalescer = Coalescer(look)
    trace.set("caller")
    await coalescer.submit(1)

    assert seen == ["maker"]


@pytest.mark.parametrize("seed", range(5))
async def test_every_item_is_done_once_whatever_comes_when(seed: int) -> None:
    """Random arrivals, cancellations and durations: no item lost, none doubled, bounds kept."""
    chance = random.Random(seed)  # noqa: S311 (a test's dice)
    sizes: list[int] = []
    done: list[int] = []
    running = 0

    async def work(items: Sequence[int]) -> Sequence[int]:
        nonlocal running
        running += 1
        assert running <= 2
        sizes.append(len(items))
        for _ in range(chance.randrange(20)):
            await asyncio.sleep(0)
        done.extend(items)
        running -= 1
        return items

    coalescer = Coalescer(work, max_batch=50, second_slot_from=20)
    tasks: list[asyncio.Task[int]] = []
    for item in range(2_000):
        tasks.append(asyncio.create_task(coalescer.submit(item)))
        if chance.random() < 0.1:
            await asyncio.sleep(0)
        if chance.random() < 0.05:
            chance.choice(tasks[-50:]).cancel()
    await asyncio.wait(tasks, timeout=10)
    await coalescer.drain()

    # A task cancelled before its first step never submitted its item.
    finished = {item for item, task in enumerate(tasks) if not task.cancelled()}
    assert all(tasks[item].result() == item for item in finished)
    assert finished <= set(done)
    assert len(done) == len(set(done))
    assert max(sizes) <= 50
