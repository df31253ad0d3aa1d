"""The whole road of an action, both services, beside a naive build and pgbench: in turns."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bench import tpcb
from bench.checks import check
from bench.finance import open_finance
from bench.machine import use_of
from bench.measuring import RATE, Measured, figures, figures_together
from bench.naive.pair import FRONT, WALLET, start_naive
from bench.report import Claim, Part, Progress, Sheet, ratio
from bench.scene import EVENTS, Front, Scene, open_scene
from bench.size import Size
from devstack.postgres import ensure_database, postgres_url

ALONE = "Publisher and sink stopped"
TOGETHER = "Publisher and sink running"
TPCB, NAIVE, TWO = "TPC-B (pgbench)", "naive", "native, two of each"

BATCHES_IN_FLIGHT = 8

_LOADS = (
    ("uniform", 64),
    ("uniform", 256),
    ("uniform", 1024),
    ("hot", 256),
    ("mixed", 256),
    ("batch", BATCHES_IN_FLIGHT),
)
_FEW_LOADS = (("uniform", 256), ("hot", 256))
"""Of the naive build, and of two front doors with a Wallet each, which share the calls."""

_now = time.perf_counter


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of an engine, as ratios."""

    to_naive: float
    to_tpcb: float | None = None
    many_to_tpcb: float | None = None
    batch_to_tpcb: float | None = None


ASKED = {
    "grpcio": Asked(to_naive=5),
    "native": Asked(to_naive=20, to_tpcb=2.5, many_to_tpcb=3.5, batch_to_tpcb=5),
}


@dataclass(frozen=True, slots=True)
class _Stage:
    alone: Scene
    together: Scene
    naive: Front
    two: Sequence[Front]
    tpcb_url: str


async def measure_front(size: Size, progress: Progress) -> Part:
    """Measure everything in turns, so that whatever else the machine does falls on all alike."""
    alone, together = Sheet(ALONE), Sheet(TOGETHER)
    async with _stage(size, progress) as stage:
        for number in range(size.rounds):
            progress(f"front: round {number + 1} of {size.rounds}")
            await _round(size, stage, alone, together, progress)
        progress("front: verifying the books")
        checks = [
            *await check("front alone", stage.alone.stack.environment, events=False),
            *await check("front with events", stage.together.stack.environment, events=True),
        ]
    return Part([alone, together], list(_claims(alone, stage.alone.fronts)), checks)


@asynccontextmanager
async def _stage(size: Size, progress: Progress) -> AsyncIterator[_Stage]:
    progress("front: starting two stacks")
    async with AsyncExitStack() as opened:
        alone = await opened.enter_async_context(open_scene(size.wallets, events=False))
        together = await opened.enter_async_context(open_scene(size.wallets, events=True))
        postgres = alone.postgres
        progress(f"front: filling pgbench's tables (scale {size.scale})")
        await ensure_database(postgres, "tpcb")
        tpcb_url = postgres_url(postgres, "postgres", "tpcb")
        await asyncio.to_thread(tpcb.fill, tpcb_url, size.scale)
        naive = await _naive(alone)
        two = alone.fastest, await alone.another()
        for scene, more in ((alone, two[1:]), (together, ())):
            for front in (*scene.fronts.values(), *more):
                await scene.measure(front, "uniform", 256, size.warmup_seconds)
        yield _Stage(alone, together, naive, two, tpcb_url)


async def _naive(scene: Scene) -> Front:
    redis_url = scene.stack.environment["REDIS_URL"]
    target = await start_naive(scene.children, scene.postgres, redis_url, scene.wallet_ids)
    pids = {"transaction": scene.children.pid(FRONT), "wallet": scene.children.pid(WALLET)}
    beside = {name: scene.stack.pid(name) for name in ("postgres", "valkey")}
    return Front(target, {**pids, **beside})


async def _round(
    size: Size, stage: _Stage, alone: Sheet, together: Sheet, progress: Progress
) -> None:
    alone.add(TPCB, await _tpcb(stage, size.seconds))
    for kind, in_flight in _FEW_LOADS:
        got = await stage.alone.measure(stage.naive, kind, in_flight, size.seconds)
        _add(alone, row_name(NAIVE, kind, in_flight), got, progress)
    for engine, front in stage.alone.fronts.items():
        for kind, in_flight in _LOADS:
            got = await stage.alone.measure(front, kind, in_flight, size.seconds)
            _add(alone, row_name(engine, kind, in_flight), got, progress)
    for kind, in_flight in _FEW_LOADS:
        alone.add(row_name(TWO, kind, in_flight), await _two(stage, kind, in_flight, size.seconds))
    for engine, front in stage.together.fronts.items():
        together.add(
            row_name(engine, "uniform", 256),
            await _with_events(stage.together, front, size.seconds),
        )


async def _tpcb(stage: _Stage, seconds: int) -> dict[str, float]:
    pids = {"postgres": stage.alone.stack.pid("postgres")}
    before = use_of(pids)["postgres"].cpu_s
    per_second = await asyncio.to_thread(tpcb.run, stage.tpcb_url, seconds)
    spent_s = use_of(pids)["postgres"].cpu_s - before
    return {RATE: per_second, "postgres µs": spent_s / (per_second * seconds) * 1e6}


async def _two(stage: _Stage, kind: str, in_flight: int, seconds: int) -> dict[str, float]:
    """Load both front doors at the same time, each with its part of the calls."""
    loads = (
        stage.alone.measure(front, kind, in_flight // len(stage.two), seconds)
        for front in stage.two
    )
    return figures_together(await asyncio.gather(*loads))


def _add(sheet: Sheet, row: str, got: Measured, progress: Progress) -> None:
    sheet.add(row, figures(got))
    if got.outcome.failed:
        progress(f"front: {row}: {got.outcome.ended}")


async def _with_events(scene: Scene, front: Front, seconds: float) -> dict[str, float]:
    """Measure while events are published and written, and let them catch up."""
    async with open_finance(scene.stack.environment, len(scene.wallet_ids)) as finance:
        events, documents, started = await finance.events(), await finance.documents(), _now()
        got = await scene.measure(front, "uniform", 256, seconds, beside=EVENTS)
        events, documents = await finance.events() - events, await finance.documents() - documents
        elapsed_s = _now() - started
        caught_up_s = await finance.catch_up_s()
    return {
        **figures(got),
        "documents/s": documents / elapsed_s,
        "behind at the end": float(events - documents),
        "actions/s, all written": events / (elapsed_s + caught_up_s),
    }


def row_name(who: str, kind: str, in_flight: int) -> str:
    return f"{who}, {kind}, {in_flight}"


def _claims(alone: Sheet, engines: Iterable[str]) -> Iterator[Claim]:
    """Hold what was measured with publisher and sink stopped to what is asked."""

    def rate(who: str, kind: str, in_flight: int) -> Sequence[float]:
        return alone.rows[row_name(who, kind, in_flight)][RATE]

    base, naive = alone.rows[TPCB][RATE], rate(NAIVE, "uniform", 256)
    for engine in engines:
        uniform, hot = rate(engine, "uniform", 256), rate(engine, "hot", 256)
        asked = ASKED[engine]
        yield ratio(f"{engine} to TPC-B", uniform, base, at_least=asked.to_tpcb)
        yield ratio(f"{engine} to naive", uniform, naive, at_least=asked.to_naive)
        yield ratio(f"{engine}, hot wallet to uniform", hot, uniform, at_least=1)
        many = rate(engine, "uniform", 1024)
        yield ratio(f"{engine}, 1,024 in flight, to TPC-B", many, base, at_least=asked.many_to_tpcb)
        batches = rate(engine, "batch", BATCHES_IN_FLIGHT)
        name = f"{engine}, ExecuteBatch of 100, to TPC-B"
        yield ratio(name, batches, base, at_least=asked.batch_to_tpcb)
    for kind, in_flight in _FEW_LOADS:
        one, two = rate("native", kind, in_flight), rate(TWO, kind, in_flight)
        yield ratio(f"{TWO} to one of each, {kind}", two, one)
