"""Ctrl-C and SIGTERM, as a value to wait for."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

Result = TypeVar("Result")
Interrupt = asyncio.Future[signal.Signals]


class InterruptedByUserError(Exception):
    def __init__(self, signal_number: signal.Signals) -> None:
        super().__init__(f"interrupted by {signal_number.name}")
        self.signal_number = signal_number


def catch_interrupt() -> Interrupt:
    """Give a future that gets the first SIGINT or SIGTERM; later ones are ignored."""
    loop = asyncio.get_running_loop()
    interrupt: Interrupt = loop.create_future()

    def note(signal_number: signal.Signals) -> None:
        if not interrupt.done():
            interrupt.set_result(signal_number)

    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, note, signal_number)
    return interrupt


async def unless_interrupted(work: Coroutine[Any, Any, Result], interrupt: Interrupt) -> Result:
    """Wait for `work`; InterruptedByUserError, with `work` cancelled, if the interrupt is first."""
    task = asyncio.create_task(work)
    await asyncio.wait((task, interrupt), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        return task.result()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    raise InterruptedByUserError(interrupt.result())
