"""What the books need now and then: months ahead, and requests forgotten that are old enough."""

import asyncio
from datetime import timedelta

import structlog

from wallet_service.store.connections import Pool
from wallet_service.store.upkeep import ensure_partitions, forget_requests

INTERVAL_S = 6 * 3600.0
MAX_FORGOTTEN_AT_ONCE = 10_000

_log = structlog.get_logger()


class Upkeep:
    """Looks after the tables; any number of processes may at once.

    Request ids are forgotten `request_retention` after they were decided. From then on the same
    id is a new request.
    """

    def __init__(self, pool: Pool, request_retention: timedelta) -> None:
        self._pool = pool
        self._request_retention = request_retention

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                await self.round()
            except Exception:  # noqa: BLE001 (there is time for many more rounds)
                _log.exception("upkeep was not done")
            await asyncio.sleep(INTERVAL_S)

    async def round(self) -> int:
        """Do what is due; answer how many requests were forgotten. Raises `Unavailable`."""
        await ensure_partitions(self._pool)
        forgotten, last = 0, MAX_FORGOTTEN_AT_ONCE
        while last == MAX_FORGOTTEN_AT_ONCE:
            last = await forget_requests(self._pool, self._request_retention, MAX_FORGOTTEN_AT_ONCE)
            forgotten += last
        return forgotten
