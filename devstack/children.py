"""Starts child processes and ends them with certainty, whatever becomes of this process.

Each child leads a session of its own, so that Ctrl-C in a terminal reaches only this process,
which then ends the children in order. If this process is killed, the watchdog ends them: it
learns of each child from the child itself, before that becomes the program it shall run, so
that none can slip through.
"""

import asyncio
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.errors import ChildFailedError
from devstack.folder import StackFolder
from devstack.watchdog import Watchdog

START_DEADLINE_S = 60.0
STOP_GRACE_S = 12.0  # More than the services take to drain.
POLL_S = 0.02
TAIL_LINES = 12

# Tells the watchdog through standard input, lets go of that, and becomes the program.
_ANNOUNCE_AND_BECOME = 'echo "started -$$ $0" >&0 && exec "$@" </dev/null'

Ready = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run; `env` is added to the environment that all children get."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Server:
    """A program that runs until it gets `stop_signal`; `ready` says whether it serves."""

    command: Command
    ready: Ready
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals

    def signal_group(self, signal_number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal_number)


class Children:
    """The child processes of one stack, by name; a context manager that ends them all.

    It takes `folder` over: once the last child has ended, the folder is unlocked, and removed if
    it is temporary, even if this process did not live to see it.
    """

    def __init__(self, folder: StackFolder, base_env: Mapping[str, str]) -> None:
        self.folder = folder
        self._base_env = base_env
        self._running: dict[str, _Child] = {}
        remove = folder.path if folder.is_temporary else None
        self.watchdog = Watchdog(remove, folder.logs / "watchdog.log", [folder.lock])
        folder.lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for child in reversed(tuple(self._running.values())):
            self.end(child.name, child.stop_signal)
        self.watchdog.close()

    async def run(self, command: Command) -> None:
        """Run a program to its end; ChildFailedError unless it succeeds within the deadline."""
        child = self._start(command, signal.SIGTERM)
        await self._until(child, _never)
        exit_code = self.end(command.name, signal.SIGTERM)
        if exit_code != 0:
            raise self._failure(child, f"failed {_how(exit_code)}")

    async def serve(self, server: Server) -> None:
        """Start a server and wait until it serves; ChildFailedError unless it does in time."""
        child = self._start(server.command, server.stop_signal)
        await self._until(child, server.ready)
        exit_code = child.process.poll()
        if exit_code is not None:
            raise self._failure(child, f"did not start: it ended {_how(exit_code)}")

    def pid(self, name: str) -> int:
        return self._running[name].process.pid

    def end(self, name: str, signal_number: signal.Signals) -> int:
        """End a child and all that it started; the answer is its exit code.

        It gets `signal_number` and has 12 s to end by itself.
        """
        child = self._running[name]
        child.signal_group(signal_number)
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(STOP_GRACE_S)
        child.signal_group(signal.SIGKILL)
        exit_code = child.process.wait()
        del self._running[name]
        self.watchdog.ended(-child.process.pid)
        return exit_code

    def first_ended(self) -> ChildFailedError | None:
        """Say which child ended by itself, if any did."""
        for child in self._running.values():
            exit_code = child.process.poll()
            if exit_code is not None:
                return self._failure(child, f"ended by itself {_how(exit_code)}")
        return None

    def _start(self, command: Command, stop_signal: signal.Signals) -> _Child:
        if command.name in self._running:  # It ended by itself, or shall be replaced.
            self.end(command.name, signal.SIGKILL)
        log = self.folder.logs / f"{command.name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 (our own programs)
                ("/bin/sh", "-c", _ANNOUNCE_AND_BECOME, str(int(stop_signal)), *command.argv),
                stdin=self.watchdog.pipe,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**self._base_env, **command.env},
            )
        child = _Child(command.name, process, log, stop_signal)
        self._running[command.name] = child
        return child

    async def _until(self, child: _Child, ready: Ready) -> None:
        """Wait until the child is ready or ends; ChildFailedError if neither comes in time."""
        deadline = time.monotonic() + START_DEADLINE_S
        while child.process.poll() is None and not await ready():
            if time.monotonic() > deadline:
                raise self._failure(child, f"is not ready after {START_DEADLINE_S:.0f} s")
            await asyncio.sleep(POLL_S)

    def _failure(self, child: _Child, reason: str) -> ChildFailedError:
        log = _saved(child) if self.folder.is_temporary else child.log
        lines = log.read_text(errors="replace").splitlines()
        return ChildFailedError(child.name, reason, "\n".join(lines[-TAIL_LINES:]), log)


def base_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Say what children get of `environ`: not PG*, which is about some other Postgres."""
    return {name: value for name, value in environ.items() if not name.startswith("PG")}


def _saved(child: _Child) -> Path:
    """Copy the log that explains a failure out of a folder that is about to be removed."""
    prefix = f"devstack-{child.name}-"
    with tempfile.NamedTemporaryFile(prefix=prefix, suffix=".log", delete=False) as copy:
        copy.write(child.log.read_bytes())
    return Path(copy.name)


async def _never() -> bool:
    return False


def _how(exit_code: int) -> str:
    if exit_code < 0:
        return f"by signal {signal.Signals(-exit_code).name}"
    return f"with exit code {exit_code}"
