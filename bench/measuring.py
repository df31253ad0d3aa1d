"""Puts the load on a service, and watches what the processes use meanwhile."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from subprocess import PIPE

from bench.load.order import Order, Outcome
from bench.machine import Watched, watch

LOAD = "load"
RATE = "actions/s"
PERCENTILES = ("p50", "p95", "p99")
MEGABYTES_OF = ("transaction", "wallet")


class LoadFailedError(Exception):
    """The load came to no outcome; its message is what it said."""


@dataclass(frozen=True, slots=True)
class Measured:
    outcome: Outcome
    watched: Watched

    @property
    def cpu_us(self) -> Mapping[str, float]:
        """Give the processor time for each accepted action, by process; `load` is the load's."""
        spent_s = {**self.watched.cpu_s, LOAD: self.outcome.own_cpu_s}
        return {name: cpu_s / max(self.outcome.actions, 1) * 1e6 for name, cpu_s in spent_s.items()}

    @property
    def others_percent(self) -> float:
        """Say how much of the processors others had: the kernel, and whatever else ran."""
        ours_s = sum(self.watched.cpu_s.values()) + self.outcome.own_cpu_s
        return (self.watched.busy_s - ours_s) / self.watched.available_s * 100

    @property
    def resident_mb(self) -> Mapping[str, Sequence[float]]:
        """Give each process' memory, once a second."""
        return self.watched.resident_mb


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
        watched = await watch(pids, order.seconds)
        said, complaint = await asyncio.to_thread(load.communicate)
    if load.returncode != 0:
        raise LoadFailedError(complaint)
    return Measured(Outcome.of(said), watched)


def figures_together(got: Sequence[Measured]) -> dict[str, float]:
    """Give what several loads at the same time came to: of latencies the worst one's."""
    rates = [each.outcome.per_second for each in got]
    latencies = [each.outcome.latency_ms for each in got]
    return {
        RATE: sum(rates),
        **{f"{name} ms": max(each.get(name, 0.0) for each in latencies) for name in PERCENTILES},
        "failed": float(sum(each.outcome.failed for each in got)),
        "the slower one's %": min(rates) / sum(rates) * 100,
    }


def figures(got: Measured) -> dict[str, float]:
    """Give a run's figures by column."""
    outcome = got.outcome
    return {
        RATE: outcome.per_second,
        **{f"{name} ms": outcome.latency_ms.get(name, 0.0) for name in PERCENTILES},
        "refused": float(outcome.statuses.get("RESOURCE_EXHAUSTED", 0)),
        "failed": float(outcome.failed),
        **{f"{name} µs": cpu_us for name, cpu_us in got.cpu_us.items()},
        "others %": got.others_percent,
        **{f"{name} MB": max(got.resident_mb[name]) for name in MEGABYTES_OF},
    }
