"""`python -m bench [--quick]`: measures the ledger beside pgbench, on one Postgres, in turns."""

import argparse
import asyncio
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil
import uvloop
from rich.console import Console

from bench import ledger, loading, tpcb
from bench.report import Figure, Report, ratio
from devstack.backing import Backing, start_backing
from devstack.children import Children, base_environment
from devstack.folder import temporary_folder
from devstack.postgres import ensure_database

_progress = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: the whole, or just enough to see that all of it runs."""

    rounds: int
    seconds: int
    wallets: int
    entries: int
    scale: int


WHOLE = Size(rounds=5, seconds=5, wallets=10_000, entries=5_000_000, scale=50)
QUICK = Size(rounds=1, seconds=1, wallets=500, entries=5_000, scale=1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and short: figures mean little")
    size = QUICK if parser.parse_args().quick else WHOLE
    started_at = datetime.now(UTC)
    report = uvloop.run(_measure(size))
    report.show(Console(width=None if Console().is_terminal else 120))
    _progress.print(f"saved to {report.save(started_at.strftime('%Y-%m-%dT%H%M%SZ'))}")


async def _measure(size: Size) -> Report:
    with Children(temporary_folder(), base_environment(os.environ)) as children:
        backing = await start_backing(children)
        urls = await _databases(backing)
        _progress.print(f"filling pgbench's tables (scale {size.scale})")
        await asyncio.to_thread(tpcb.fill, urls["tpcb"], size.scale)
        empty = await loading.load(urls["empty_owner"], size.wallets, 0)
        _progress.print(f"loading a ledger with {size.entries:,} entries")
        loaded = await loading.load(urls["loaded_owner"], size.wallets, size.entries)
        return await _rounds(size, urls, empty, loaded)


async def _databases(backing: Backing) -> dict[str, str]:
    await ensure_database(backing.postgres, "tpcb")
    urls = {"tpcb": backing.postgres_url("postgres", "tpcb")}
    for name in ("empty", "loaded"):
        await ensure_database(backing.postgres, name)
        await backing.migrate_wallet(name)
        urls[name] = backing.postgres_url("wallet_service", name)
        urls[f"{name}_owner"] = backing.postgres_url("postgres", name)
    return urls


async def _rounds(size: Size, urls: dict[str, str], empty: list[int], loaded: list[int]) -> Report:
    """Measure everything in turns, so that whatever else the machine does falls on all alike."""
    tps: list[float] = []
    paces: dict[str, list[ledger.Pace]] = {}
    async with (
        ledger.open_ledger(urls["empty"]) as small,
        ledger.open_ledger(urls["loaded"]) as big,
    ):
        for number in range(size.rounds):
            _progress.print(f"round {number + 1} of {size.rounds}")
            tps.append(await asyncio.to_thread(tpcb.run, urls["tpcb"], size.seconds))
            on_small, on_big = ledger.Traffic(empty, number), ledger.Traffic(loaded, number)
            for name, books, make in (
                ("uniform", small, on_small.uniform),
                ("hot wallet", small, on_small.hot),
                ("mixed", small, on_small.mixed),
                ("uniform, loaded", big, on_big.uniform),
            ):
                paces.setdefault(name, []).append(await ledger.run(books, make, size.seconds))
    return _report(size, tps, paces)


def _report(size: Size, tps: list[float], paces: dict[str, list[ledger.Pace]]) -> Report:
    base = Figure("TPC-B (pgbench)", "transactions/s", tps)
    speeds = {
        name: Figure(f"ledger, {name}", "plans/s", [each.plans_per_s for each in runs])
        for name, runs in paces.items()
    }
    costs = {
        name: Figure(
            f"processor time, {name}",
            "µs/plan",
            [each.own_cpu_us + each.postgres_cpu_us for each in runs],
        )
        for name, runs in paces.items()
    }
    uniform = speeds["uniform"]
    return Report(
        _conditions(size),
        [base, *speeds.values(), *costs.values()],
        [
            ratio("uniform to TPC-B", uniform, base, at_least=5),
            ratio("hot wallet to TPC-B", speeds["hot wallet"], base, at_least=5),
            ratio("mixed to TPC-B", speeds["mixed"], base),
            ratio("hot wallet to uniform", speeds["hot wallet"], uniform, at_least=1),
            ratio(
                "processor time, loaded to empty",
                costs["uniform, loaded"],
                costs["uniform"],
                at_most=1.3,
            ),
        ],
    )


def _conditions(size: Size) -> dict[str, str]:
    load, _, _ = psutil.getloadavg()
    return {
        "machine": f"{psutil.cpu_count()} cores, load {load:.1f} at the end",
        "python": f"Python {platform.python_version()}",
        "postgres": "Postgres with fsync and synchronous_commit on",
        "batch": f"batches of {ledger.BATCH}, {size.wallets:,} wallets",
        "rounds": f"{size.rounds} rounds of {size.seconds} s each, medians",
        "loaded": f"{size.entries:,} entries loaded",
    }


if __name__ == "__main__":
    main()
