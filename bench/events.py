"""From the feed to Firestore: how fast a backlog is caught up with, and how late events are."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from bench.checks import check
from bench.finance import Finance, open_finance, percentile
from bench.machine import use_of
from bench.report import Claim, Part, Progress, Sheet
from bench.scene import Scene, open_scene
from bench.size import Size

CATCHING_UP, DELAY = "Catching up with a backlog of events", "From commit to Firestore"
REAL, NULL = "ERP sink into Firestore", "null sink"
RATE = "events/s"
STEADY_PER_SECOND = 1_000
STEADY = f"{STEADY_PER_SECOND:,} actions/s"
_FILLING_IN_FLIGHT = 1_024


async def measure_events(size: Size, progress: Progress) -> Part:
    """Measure on one stack, one after the other: what a null sink takes is never in Firestore."""
    catching_up, delay = Sheet(CATCHING_UP), Sheet(DELAY)
    async with (
        open_scene(size.wallets, events=True) as scene,
        open_finance(scene.stack.environment, len(scene.wallet_ids)) as finance,
    ):
        progress(f"events: catching up with {size.backlog:,}")
        catching_up.add(REAL, await _catch_up(size, scene, finance))
        progress(f"events: timing them at {STEADY_PER_SECOND:,} actions/s")
        delay.add(STEADY, await _delays(size, scene, finance))
        checks = await check("events", scene.stack.environment, events=True)
        progress("events: catching up by a null sink")
        catching_up.add(NULL, await _catch_up_by_null_sink(size, scene, finance))
    return Part([catching_up, delay], list(_claims(catching_up, delay)), checks)


async def _catch_up(size: Size, scene: Scene, finance: Finance) -> dict[str, float]:
    backlog = await _fill(size, scene, finance)
    await scene.stack.start("sink")
    work = finance.catch_up_s()
    return await _timed(backlog, scene, ("publisher", "pubsub", "sink", "firestore"), work)


async def _catch_up_by_null_sink(size: Size, scene: Scene, finance: Finance) -> dict[str, float]:
    backlog = await _fill(size, scene, finance)
    work = asyncio.to_thread(_run_null_sink, backlog, scene.stack.environment)
    return await _timed(backlog, scene, ("publisher", "pubsub"), work)


async def _fill(size: Size, scene: Scene, finance: Finance) -> int:
    """Leave so many events or some more in the feed, with nobody to take them; answer how many."""
    for name in ("publisher", "sink"):
        await scene.stack.end(name, signal.SIGTERM)
    before, filled = await finance.events(), 0
    while filled < size.backlog:
        await scene.measure(scene.fastest, "uniform", _FILLING_IN_FLIGHT, size.seconds)
        filled = await finance.events() - before
    return filled


async def _timed(
    backlog: int, scene: Scene, names: Sequence[str], work: Awaitable[object]
) -> dict[str, float]:
    """Start the publisher, and say how long it then takes to catch up, and what that costs."""
    started = time.perf_counter()
    await scene.stack.start("publisher")
    pids = {name: scene.stack.pid(name) for name in names}
    before = use_of(pids)
    await work
    after, seconds = use_of(pids), time.perf_counter() - started
    cost_us = {
        f"{name} µs": (after[name].cpu_s - before[name].cpu_s) / backlog * 1e6 for name in names
    }
    return {"events": float(backlog), RATE: backlog / seconds, **cost_us}


def _run_null_sink(count: int, environment: Mapping[str, str]) -> None:
    subprocess.run(  # noqa: S603 (our own program)
        (sys.executable, "-m", "bench.null_sink", str(count)),
        env={**os.environ, **environment},
        check=True,
    )


async def _delays(size: Size, scene: Scene, finance: Finance) -> dict[str, float]:
    since = datetime.now(UTC)
    got = await scene.pace(scene.fastest, "uniform", STEADY_PER_SECOND, size.steady_seconds)
    await finance.catch_up_s()
    delays_s = await finance.delays_s(since)
    return {
        "accepted actions/s": got.outcome.per_second,
        **{f"p{percent} s": percentile(delays_s, percent) for percent in (50, 95, 99)},
    }


def _claims(catching_up: Sheet, delay: Sheet) -> Iterator[Claim]:
    real, null = (catching_up.median(name, RATE) for name in (REAL, NULL))
    yield Claim("events/s into Firestore", real, at_least=2_000)
    yield Claim("events/s into Firestore, to a null sink", real / null)
    late_s = delay.median(STEADY, "p99 s")
    yield Claim(f"seconds from commit to Firestore at {STEADY}, p99", late_s, at_most=2)
