"""What the operators' tool says of the books after a run."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from bench.report import Check

LEDGER = (("ledger", "verify"), ("ledger", "trial-balance"))


async def check(name: str, environment: Mapping[str, str], *, events: bool) -> list[Check]:
    """Verify the ledger of that environment; with `events` also what finance has of it."""
    commands: list[tuple[str, ...]] = [*LEDGER]
    if events and await _knows("reconcile"):
        commands.append(("reconcile",))
    return [await _check(name, command, environment) for command in commands]


async def _check(name: str, command: Sequence[str], environment: Mapping[str, str]) -> Check:
    exit_code, said = await asyncio.to_thread(_walletctl, command, environment)
    sentences = [line for line in said.splitlines() if line[:1].isalnum()]
    return Check(f"{name}: {' '.join(command)}", exit_code == 0, sentences[-1] if sentences else "")


async def _knows(command: str) -> bool:
    exit_code, _ = await asyncio.to_thread(_walletctl, (command, "--help"), {})
    return exit_code == 0


def _walletctl(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603 (our own program)
        (sys.executable, "-m", "walletctl", "--output", "table", *command),
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr
