"""Runs the user's command in front of a stack."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import suppress

from devstack.interrupts import Interrupt
from devstack.watchdog import Watchdog

END_GRACE_S = 5.0


async def run_foreground(
    argv: Sequence[str], environment: Mapping[str, str], watchdog: Watchdog, interrupt: Interrupt
) -> int:
    """Run a command to its end on our standard streams; answer its exit code as a shell does.

    An interrupt is passed on to the command, which has 5 s to end before it is made to.
    """
    # At a terminal the command stays in our process group, which Ctrl-C reaches as a whole.
    # Elsewhere it leads its own, so that whatever it has started can be ended with it.
    at_terminal = sys.stdin.isatty()
    process = await asyncio.create_subprocess_exec(
        *argv, env=environment, process_group=None if at_terminal else 0
    )
    target = process.pid if at_terminal else -process.pid
    watchdog.started(target, signal.SIGTERM)
    ended = asyncio.create_task(process.wait())
    await asyncio.wait((ended, interrupt), return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        told_by_terminal = at_terminal and interrupt.result() is signal.SIGINT
        await _end(process, target, 0 if told_by_terminal else interrupt.result())
    watchdog.ended(target)
    return _exit_code(await ended)


async def _end(process: Process, target: int, first_signal: int) -> None:
    for signal_number in (first_signal, signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(target, signal_number)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_GRACE_S):
                await process.wait()
                break
    if target < 0:
        with suppress(ProcessLookupError):
            os.kill(target, signal.SIGKILL)


def _exit_code(returncode: int) -> int:
    return 128 - returncode if returncode < 0 else returncode
