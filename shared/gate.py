"""Lets so many through at once; so many more may wait, and the next is refused."""

import asyncio
from types import TracebackType

from shared.errors import ResourceExhausted


class Gate:
    """`async with gate:` holds one of `at_once` places.

    Raises `ResourceExhausted` (`OVERLOADED`) at once where `max_waiting` wait for one.
    """

    def __init__(self, at_once: int, max_waiting: int) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._max_waiting = max_waiting
        self._waiting = 0

    async def __aenter__(self) -> None:
        if self._waiting >= self._max_waiting:
            raise ResourceExhausted("OVERLOADED", "too much is waiting: try again later")
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._places.release()
