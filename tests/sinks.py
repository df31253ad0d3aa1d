"""The sink run by tests, in their own process."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.telemetry import PassOnTracing
from transaction_service.erp_sink import app
from transaction_service.erp_sink.settings import SinkSettings


class Counts:
    """Counts what a process counts."""

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()

    def increment(self, metric: str, value: float = 1, tags: list[str] | None = None) -> None:
        self.of[" ".join([metric, *(tags or [])])] += int(value)

    def gauge(self, metric: str, value: float, tags: list[str] | None = None) -> None:
        pass

    def histogram(self, metric: str, value: float, tags: list[str] | None = None) -> None:
        pass


@asynccontextmanager
async def sinking(settings: SinkSettings) -> AsyncIterator[Counter[str]]:
    """Run a sink in this process, and have it end gracefully; yield what it counts."""
    counts, stop = Counts(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(app.run(settings, counts, PassOnTracing(), stop))
        try:
            yield counts.of
        finally:
            stop.set()
