"""Keeps the price books in memory: looks for new ones every second."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from shared.errors import Unavailable
from shared.postgres import Pool, connection
from transaction_service import store
from transaction_service.pricing.price_books import KEPT_FOR, Dated, PriceBooks
from transaction_service.pricing.prices import prepare

INTERVAL_S = 1.0
MAX_AT_ONCE = 50

_log = structlog.get_logger()


class PriceWatch:
    """Fills `books`. While the database is away, they stay as they are."""

    def __init__(self, pool: Pool, books: PriceBooks, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._books = books
        self._clock = clock
        self._sees = True

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            await self.round()

    async def round(self) -> None:
        """Look, whatever comes of it; say once that nothing can be seen, and once that it can."""
        try:
            await self.look()
        except Exception as error:  # noqa: BLE001 (prices in memory hold on)
            if self._sees:
                _log.warning("no new price books can be seen", error=repr(error))
            self._sees = False
            return
        if not self._sees:
            _log.info("new price books can be seen again")
        self._sees = True

    async def look(self) -> None:
        """Take over what was published since the last look. Raises `Unavailable`."""
        while await self._take() == MAX_AT_ONCE:
            pass

    async def _take(self) -> int:
        async with connection(self._pool) as conn:
            now, last = self._clock(), self._books.last_effective_at
            if last is None:
                found = await store.load_books(conn, now - KEPT_FOR, MAX_AT_ONCE)
            else:
                found = await store.load_new_books(conn, last, MAX_AT_ONCE)
        self._books.add([_dated(each) for each in found], now)
        return len(found)

    async def probe(self) -> None:
        """Raise unless the last look succeeded."""
        if not self._sees:
            raise Unavailable("DATABASE_UNAVAILABLE", "no new price books can be seen")


def _dated(published: store.Published) -> Dated:
    return Dated(published.publication.effective_at, prepare(published.book))
