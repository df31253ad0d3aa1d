"""What processes use of the machine: processor time and memory."""

import asyncio
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import psutil

_MB = 1024 * 1024
_WATCH_S = 1.0


@dataclass(frozen=True, slots=True)
class Use:
    """Of a process and all that it started."""

    cpu_s: float
    resident_mb: float


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen in a time."""

    cpu_s: Mapping[str, float]
    """Processor time by process."""
    resident_mb: Mapping[str, Sequence[float]]
    """Memory by process, once a second."""
    busy_s: float
    """Processor time of the whole machine."""
    available_s: float
    """How much there was of it."""


def use_of(pids: Mapping[str, int]) -> dict[str, Use]:
    """Say what each of these processes, by name, has used up to now."""
    return {name: _use(psutil.Process(pid)) for name, pid in pids.items()}


async def watch(pids: Mapping[str, int], seconds: float) -> Watched:
    """Look at these processes for about so long."""
    began, busy_s, before = time.perf_counter(), _busy_s(), use_of(pids)
    uses = []
    for _ in range(max(round(seconds / _WATCH_S), 1)):
        await asyncio.sleep(min(_WATCH_S, seconds))
        uses.append(use_of(pids))
    return Watched(
        {name: uses[-1][name].cpu_s - use.cpu_s for name, use in before.items()},
        {name: [use[name].resident_mb for use in uses] for name in before},
        _busy_s() - busy_s,
        (time.perf_counter() - began) * (os.cpu_count() or 1),
    )


def _busy_s() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq + times.steal)


def _use(process: psutil.Process) -> Use:
    """Count what children share with others, as Postgres' do its buffers, with their parent."""
    uses = list(_family(process))
    return Use(sum(each.cpu_s for each in uses), sum(each.resident_mb for each in uses))


def _family(process: psutil.Process) -> Iterator[Use]:
    for each in (process, *process.children(recursive=True)):
        try:
            times, memory = each.cpu_times(), each.memory_info()
        except psutil.NoSuchProcess:
            continue
        cpu_s = times.user + times.system + times.children_user + times.children_system
        yield Use(cpu_s, (memory.rss - (memory.shared if each is not process else 0)) / _MB)
