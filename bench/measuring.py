"""Puts the load on a service, and watches what the processes use meanwhile."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from subprocess import PIPE

from bench.load.order import Order, Outcome
from bench.machine import Use, use_of

LOAD = "load"
RATE = "actions/s"
MEGABYTES_OF = ("transaction", "wallet")
_WATCH_S = 1.0


class LoadFailedError(Exception):
    """The load came to no outcome; its message is what it said."""


@dataclass(frozen=True, slots=True)
class Measured:
    outcome: Outcome
    cpu_us: Mapping[str, float]
    """Processor time for each accepted action, by process; `load` is the load's own."""
    resident_mb: Mapping[str, Sequence[float]]
    """Memory by process, once a second."""


async def measure(order: Order, pids: Mapping[str, int]) -> Measured:
    """Do as ordered; LoadFailedError unless that comes to an outcome."""
    # Not by asyncio: uvloop would fork, which gRPC in this process does not like.
    with subprocess.Popen(  # noqa: ASYNC220 (it starts at once; our own program)
        (sys.executable, "-m", "bench.load"), stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True
    ) as load:
        if load.stdin is None or load.stdout is None:
            raise RuntimeError("a process was started without its pipes")
        load.stdin.write(f"{order.json()}\n")
        load.stdin.flush()
        await asyncio.to_thread(load.stdout.readline)  # It says that it begins.
        before, uses = use_of(pids), []
        for _ in range(max(round(order.seconds / _WATCH_S), 1)):
            await asyncio.sleep(min(_WATCH_S, order.seconds))
            uses.append(use_of(pids))
        said, complaint = await asyncio.to_thread(load.communicate)
    if load.returncode != 0:
        raise LoadFailedError(complaint)
    return _measured(Outcome.of(said), before, uses)


def figures(got: Measured) -> dict[str, float]:
    """Give a run's figures by column."""
    outcome = got.outcome
    return {
        RATE: outcome.per_second,
        **{f"{name} ms": outcome.latency_ms.get(name, 0.0) for name in ("p50", "p95", "p99")},
        "refused": float(outcome.statuses.get("RESOURCE_EXHAUSTED", 0)),
        "failed": float(outcome.failed),
        **{f"{name} µs": cpu_us for name, cpu_us in got.cpu_us.items()},
        **{f"{name} MB": max(got.resident_mb[name]) for name in MEGABYTES_OF},
    }


def _measured(
    outcome: Outcome, before: Mapping[str, Use], uses: Sequence[Mapping[str, Use]]
) -> Measured:
    actions = max(outcome.actions, 1)
    spent_s = {name: uses[-1][name].cpu_s - use.cpu_s for name, use in before.items()}
    return Measured(
        outcome,
        {
            name: cpu_s / actions * 1e6
            for name, cpu_s in {**spent_s, LOAD: outcome.own_cpu_s}.items()
        },
        {name: [use[name].resident_mb for use in uses] for name in before},
    )
