"""How a process of ours runs: an event loop that ends on SIGTERM or Ctrl-C."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import uvloop
from pydantic import ValidationError
from pydantic_settings import BaseSettings

Settings = TypeVar("Settings", bound=BaseSettings)

YOUNG_OBJECTS = 50_000
"""How many new objects Python's collector of cycles waits for: at its own 700 it takes an eighth of
the time of a process under load, to find next to nothing."""


def run(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `main` until it returns; the event it is given is set on SIGTERM and SIGINT."""
    preempt_nobody()
    collect_seldom()

    async def guarded() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, stop.set)
        await main(stop)

    uvloop.run(guarded())


def preempt_nobody() -> None:
    """Have Linux let others finish their turn when this process, or a thread of it, wakes.

    Many small things wake it; each would throw another process off its processor in the middle of
    a batch: `docs/decisions/preempt-nobody.md`. Where it is not allowed, all goes on as before.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def collect_seldom() -> None:
    """Look for garbage in cycles seldom, and never again among what there is already."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)


def load_settings(kind: type[Settings]) -> Settings:
    """Read `kind` from the environment, or end the process saying which variable is wrong."""
    try:
        return kind()
    except ValidationError as error:
        for fault in error.errors():
            name = "_".join(str(part) for part in fault["loc"]).upper()
            print(f"configuration: {name}: {fault['msg']}", file=sys.stderr)  # noqa: T201
        raise SystemExit(2) from None
