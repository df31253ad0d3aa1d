"""pgbench's TPC-B: what the same Postgres does with single, small transactions."""

import re
import subprocess

from devstack.postgres import binary

CLIENTS, THREADS = 20, 2


def fill(url: str, scale: int) -> None:
    """Make pgbench's tables: 100,000 accounts for each unit of scale."""
    _run("--initialize", "--quiet", f"--scale={scale}", url)


def run(url: str, seconds: int) -> float:
    """Answer the transactions per second of TPC-B with prepared statements."""
    said = _run(
        f"--client={CLIENTS}", f"--jobs={THREADS}", "--protocol=prepared", f"--time={seconds}", url
    )
    found = re.search(r"tps = ([\d.]+)", said)
    if found is None:
        raise ValueError(f"pgbench said no figure: {said}")
    return float(found.group(1))


def _run(*arguments: str) -> str:
    return subprocess.run(  # noqa: S603 (our own program)
        [binary("pgbench"), *arguments], check=True, capture_output=True, text=True
    ).stdout
