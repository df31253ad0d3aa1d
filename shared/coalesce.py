"""Turns many single calls into few batches, without a timer.

A batch starts as soon as one may, with whatever waits then: alone on a quiet day, by the
hundreds under load, because items gather while a batch is under way.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import copy_context
from typing import Generic, TypeVar

from shared.errors import ResourceExhausted

Item = TypeVar("Item")
Result = TypeVar("Result")


class Coalescer(Generic[Item, Result]):
    """Collects the items of concurrent callers into batches for `run_batch`.

    `run_batch` answers one result for each item, in their order; an exception among the
    results is raised to that item's caller alone, one that it raises to every caller of the
    batch. At most `slots` batches run at a time, each of items whose weights come to at most
    `max_batch`, or of a single heavier one. While one runs,
    another starts only if `second_slot_from` items wait: small batches are dearer than a short
    wait. Batches run in the context (trace, log variables) of the coalescer's maker, since
    they serve many callers.
    """

    def __init__(  # noqa: PLR0913 (the defaults are what measured best)
        self,
        run_batch: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        weight: Callable[[Item], int] = lambda _: 1,
        max_batch: int = 400,
        slots: int = 2,
        second_slot_from: int = 64,
        max_waiting: int = 10_000,
    ) -> None:
        self._run_batch = run_batch
        self._weight = weight
        self._max_batch = max_batch
        self._slots = slots
        self._second_slot_from = second_slot_from
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._batches: set[asyncio.Task[None]] = set()
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
        (future,) = self._enqueue((item,))
        return await future

    async def submit_all(self, items: Sequence[Item]) -> list[Result]:
        """Have all `items` done in the next batches and return their results, in order.

        The first exception among them is raised. Otherwise as `submit`, for less than its price.
        """
        return await asyncio.gather(*self._enqueue(items))

    def _enqueue(self, items: Sequence[Item]) -> list[asyncio.Future[Result]]:
        if len(self._waiting) + len(items) > self._max_waiting:
            raise ResourceExhausted("OVERLOADED", "too much work is waiting: try again later")
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Result]] = [loop.create_future() for _ in items]
        self._waiting.extend(zip(items, futures, strict=True))
        if len(self._batches) < self._slots:
            self._start_batches()
        return futures

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
        # early finds nothing and ends.
        enough = self._second_slot_from if self._batches else 1
        return len(self._batches) < self._slots and len(self._waiting) >= enough

    def _end(self, batch: asyncio.Task[None]) -> None:
        self._batches.discard(batch)
        self._start_batches()

    async def _run_next(self) -> None:
        batch = self._take()
        if not batch:
            return
        try:
            results = await self._results_of([item for item, _ in batch])
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():  # Its caller was cancelled.
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        room = self._max_batch
        while self._waiting:
            room -= self._weight(self._waiting[0][0])
            if batch and room < 0:
                break
            batch.append(self._waiting.popleft())
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
