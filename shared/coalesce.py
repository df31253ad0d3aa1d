"""Turns many single calls into few batches, without a timer.

A batch starts as soon as one may, with whatever waits then: alone on a quiet day, by the
hundreds under load, because items gather while a batch is under way.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from collections.abc import Set as AbstractSet
from contextvars import copy_context
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

from shared.errors import ResourceExhausted

Item = TypeVar("Item")
Result = TypeVar("Result")

LOOK_AHEAD = 2_000
"""How many waiting items a batch looks at to find those that may be in it."""


class _Call(Generic[Result]):
    """A caller, who hears when the last of its items is done, or of the first that failed."""

    def __init__(self, items: int) -> None:
        self.future: asyncio.Future[list[Result]] = asyncio.get_running_loop().create_future()
        self._results: dict[int, Result] = {}
        self._items = items

    def settle(self, place: int, result: Result | Exception) -> None:
        if self.future.done():  # The caller was cancelled, or has heard of a failure.
            return
        if isinstance(result, Exception):
            self.future.set_exception(result)
            return
        self._results[place] = result
        if len(self._results) == self._items:
            self.future.set_result([self._results[each] for each in range(self._items)])


class _Waiting(NamedTuple, Generic[Item, Result]):
    """An item and its caller, who gave it as one of several."""

    item: Item
    weight: int
    keys: AbstractSet[Hashable]
    call: _Call[Result]
    place: int


class Coalescer(Generic[Item, Result]):
    """Collects the items of concurrent callers into batches for `run_batch`.

    `run_batch` answers one result for each item, in their order; an exception among the
    results is raised to that item's caller alone, one that it raises to every caller of the
    batch. At most `slots` batches run at a time, each of items whose weights come to at most
    `max_batch`, or of a single heavier one. Batches under way at the same time share none of
    their items' `keys`: one would only wait for the other. While one runs, another starts only
    if items of a weight of `second_slot_from` may be in it: small batches are dearer than a short
    wait. Items of a weight of `max_waiting` may wait. Batches run in the context (trace, log
    variables) of the coalescer's maker, since they serve many callers.
    """

    def __init__(  # noqa: PLR0913 (the defaults are what measured best)
        self,
        run_batch: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        weight: Callable[[Item], int] = lambda _: 1,
        keys: Callable[[Item], AbstractSet[Hashable]] = lambda _: frozenset(),
        max_batch: int = 400,
        slots: int = 2,
        second_slot_from: int = 64,
        max_waiting: int = 10_000,
    ) -> None:
        self._run_batch = run_batch
        self._weight = weight
        self._keys = keys
        self._max_batch = max_batch
        self._slots = slots
        self._second_slot_from = second_slot_from
        self._max_waiting = max_waiting
        self._waiting: deque[_Waiting[Item, Result]] = deque()
        self._weight_waiting = 0
        self._batches: set[asyncio.Task[None]] = set()
        self._busy_keys: set[Hashable] = set()
        self._running = 0
        self._look_again_from = 0
        self._context = copy_context()

    @property
    def waiting(self) -> int:
        """How many items wait for a batch; those under way are not counted."""
        return len(self._waiting)

    async def submit(self, item: Item) -> Result:
        """Have `item` done in one of the next batches and return its result.

        A caller that is cancelled leaves its item where it is: it is still done.
        Raises ResourceExhausted (`OVERLOADED`) at once if too many wait.
        """
        (result,) = await self._enqueue((item,))
        return result

    async def submit_all(self, items: Sequence[Item]) -> list[Result]:
        """Have all `items` done in the next batches and return their results, in order.

        The first exception among them is raised. Otherwise as `submit`, for less than its price.
        """
        return await self._enqueue(items) if items else []

    def _enqueue(self, items: Sequence[Item]) -> "asyncio.Future[list[Result]]":
        weights = [self._weight(item) for item in items]
        weight_waiting = self._weight_waiting + sum(weights)
        if weight_waiting > self._max_waiting:
            raise ResourceExhausted("OVERLOADED", "too much work is waiting: try again later")
        call: _Call[Result] = _Call(len(items))
        keys = self._keys
        self._waiting.extend(
            [
                _Waiting(item, weight, keys(item), call, place)
                for place, (item, weight) in enumerate(zip(items, weights, strict=True))
            ]
        )
        self._weight_waiting = weight_waiting
        if len(self._batches) < self._slots:
            self._start_batches()
        return call.future

    async def drain(self) -> None:
        """Return when nothing waits and nothing is under way."""
        while self._batches:
            await asyncio.wait(self._batches)

    def _start_batches(self) -> None:
        while self._may_start():
            # The batch takes its items when the task first runs, so that everybody who
            # submits in this turn of the loop is aboard.
            batch = asyncio.get_running_loop().create_task(
                self._run_next(), context=self._context.copy()
            )
            self._batches.add(batch)
            batch.add_done_callback(self._end)

    def _may_start(self) -> bool:
        # What a started batch has yet to take counts as waiting: a second one started too
        # early finds too little and ends.
        return len(self._batches) < self._slots and self._weight_waiting >= self._least()

    def _least(self) -> int:
        return max(self._second_slot_from, self._look_again_from) if self._batches else 1

    def _end(self, batch: asyncio.Task[None]) -> None:
        self._batches.discard(batch)
        self._start_batches()

    async def _run_next(self) -> None:
        batch = self._take()
        if not batch:
            return
        keys = frozenset[Hashable]().union(*(each.keys for each in batch))
        self._busy_keys |= keys
        self._running += 1
        try:
            results = await self._results_of([each.item for each in batch])
        except asyncio.CancelledError:
            for each in batch:
                each.call.future.cancel()
            raise
        finally:
            self._busy_keys -= keys
            self._running -= 1
            self._look_again_from = 0
        for each, result in zip(batch, results, strict=True):
            each.call.settle(each.place, result)

    def _take(self) -> list[_Waiting[Item, Result]]:
        """Take the first items that may be in a batch, or none if that are too few.

        Of items with a common key none overtakes another.
        """
        batch: list[_Waiting[Item, Result]] = []
        passed: list[_Waiting[Item, Result]] = []
        closed = set(self._busy_keys)
        room = self._max_batch
        for each in islice(self._waiting, LOOK_AHEAD):
            if not closed.isdisjoint(each.keys):
                closed |= each.keys
                passed.append(each)
                continue
            room -= each.weight
            if batch and room < 0:
                break
            batch.append(each)
        weight = sum(each.weight for each in batch)
        if self._running and weight < self._second_slot_from:
            # As many more must come, at least, unless one of them ends before.
            self._look_again_from = self._weight_waiting + self._second_slot_from - weight
            return []
        for _ in range(len(batch) + len(passed)):
            self._waiting.popleft()
        self._waiting.extendleft(reversed(passed))
        self._weight_waiting -= weight
        return batch

    async def _results_of(self, items: Sequence[Item]) -> Sequence[Result | Exception]:
        try:
            results = await self._run_batch(items)
        except Exception as error:  # noqa: BLE001 (raised again, to each caller)
            return [error] * len(items)
        if len(results) != len(items):
            wrong = RuntimeError(f"{len(items)} items were answered with {len(results)} results")
            return [wrong] * len(items)
        return results
