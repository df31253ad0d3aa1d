"""Ends a stack's processes once the process that started them is gone, however it went.

Run as a program, `watchdog.py [FOLDER]` reads lines from standard input: `started TARGET SIGNAL`
and `ended TARGET`, where TARGET is a process id, or minus the id of a process group, as kill(2)
takes it. The input ends when nobody holds the other end of the pipe any more; then the targets
that are left get their SIGNAL, after `GRACE_S` SIGKILL, and FOLDER is removed.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

GRACE_S = 5.0
POLL_S = 0.02


class Watchdog:
    """The end of the pipe in the process that starts the others.

    `owned` files stay open until the watchdog ends.
    """

    def __init__(self, remove: Path | None, log: Path, owned: Sequence[IO[bytes]]) -> None:
        program = (sys.executable, "-I", "-S", __file__)
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 (ourselves)
                (*program, str(remove)) if remove else program,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,  # What ends this process's group leaves it alone.
                pass_fds=[each.fileno() for each in owned],
                cwd="/",
            )

    @property
    def pipe(self) -> IO[bytes]:
        """Takes the lines; a child that announces itself inherits it."""
        assert self._process.stdin is not None  # noqa: S101 (for mypy: it is a pipe)
        return self._process.stdin

    def started(self, target: int, stop_signal: signal.Signals) -> None:
        self._tell(f"started {target} {int(stop_signal)}\n")

    def ended(self, target: int) -> None:
        self._tell(f"ended {target}\n")

    def close(self) -> None:
        """Have the watchdog end what is left, and wait until it has."""
        self._process.communicate()

    def _tell(self, line: str) -> None:
        with suppress(BrokenPipeError):  # Somebody killed it: nothing more can be done for it.
            os.write(self.pipe.fileno(), line.encode())


def main() -> None:
    end_all(read_targets(sys.stdin))
    for folder in sys.argv[1:]:
        shutil.rmtree(folder, ignore_errors=True)


def read_targets(lines: Iterable[str]) -> dict[int, int]:
    """Follow the lines to their end; the answer holds what still runs, each with its signal."""
    targets: dict[int, int] = {}
    for line in lines:
        match line.split():
            case ["started", target, signal_number]:
                targets[int(target)] = int(signal_number)
            case ["ended", target]:
                targets.pop(int(target), None)
    return targets


def end_all(targets: dict[int, int]) -> None:
    for target, signal_number in targets.items():
        send(target, signal_number)
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline and any(send(target, 0) for target in targets):
        time.sleep(POLL_S)
    for target in targets:
        send(target, signal.SIGKILL)


def send(target: int, signal_number: int) -> bool:
    """Send the signal (0: none) and say whether there was anybody to get it."""
    try:
        os.kill(target, signal_number)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
