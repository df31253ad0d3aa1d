"""What processes use of the machine: processor time and memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psutil

_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Use:
    """Of a process and all that it started."""

    cpu_s: float
    resident_mb: float


def use_of(pids: Mapping[str, int]) -> dict[str, Use]:
    """Say what each of these processes, by name, has used up to now."""
    return {name: _use(psutil.Process(pid)) for name, pid in pids.items()}


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
