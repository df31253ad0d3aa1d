"""`python -m bench [--quick] [--only front,ledger]`: measures the product, and saves a report."""

import argparse
import os
import platform
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil
import uvloop
from rich.console import Console

from bench.books import measure_books
from bench.endurance import measure_endurance
from bench.events import measure_events
from bench.front import measure_front
from bench.plots import draw
from bench.report import Part, Progress, Report
from bench.size import QUICK, WHOLE, Size

PARTS: Mapping[str, Callable[[Size, Progress], Awaitable[Part]]] = {
    "front": measure_front,
    "endurance": measure_endurance,
    "events": measure_events,
    "ledger": measure_books,
}

RESULTS = Path("bench/results")

_progress = Console(stderr=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and short: figures mean little")
    parser.add_argument(
        "--only", type=_names, default=list(PARTS), help=f"some of {','.join(PARTS)}"
    )
    arguments = parser.parse_args()
    size = QUICK if arguments.quick else WHOLE
    started_at = datetime.now(UTC)
    report = uvloop.run(_measure(size, arguments.only))
    report.show(Console(width=None if Console().is_terminal else 160))
    RESULTS.mkdir(parents=True, exist_ok=True)
    name = started_at.strftime("%Y-%m-%dT%H%M%SZ")
    report.save_rounds(RESULTS, name)
    page = report.save_page(RESULTS, name, draw(report, RESULTS, name))
    _progress.print(f"saved to {page}, with every round in the JSON beside it")


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - PARTS.keys():
        raise argparse.ArgumentTypeError(f"no part is named {', '.join(sorted(unknown))}")
    return names


async def _measure(size: Size, names: Sequence[str]) -> Report:
    load, _, _ = os.getloadavg()
    parts = [await PARTS[name](size, _progress.print) for name in names]
    return Report(_conditions(size, load), parts)


def _conditions(size: Size, load: float) -> dict[str, str]:
    return {
        "machine": f"{psutil.cpu_count()} cores, load {load:.1f} before",
        "python": f"Python {platform.python_version()}",
        "postgres": "Postgres with fsync and synchronous_commit on",
        "emulators": "the stack's own emulators, never Google's",
        "wallets": f"{size.wallets:,} wallets",
        "rounds": f"{size.rounds} rounds of {size.seconds} s each, medians",
    }


if __name__ == "__main__":
    main()
