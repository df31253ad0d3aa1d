"""The price books in memory: those in force lately, and those to come."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import FailedPrecondition
from transaction_service.pricing.prices import Prices

PRICE_BOOK_MISSING = "PRICE_BOOK_MISSING"
KEPT_FOR = timedelta(minutes=20)
"""How long a book is kept that another one has replaced; longer than a quote holds."""


@dataclass(frozen=True, slots=True)
class Dated:
    """Prices, and from when on they hold."""

    effective_at: datetime
    prices: Prices


class PriceBooks:
    """Answers prices without waiting for anything."""

    def __init__(self) -> None:
        self._books: list[Dated] = []
        self._by_version: dict[str, Prices] = {}

    def in_force(self, now: datetime) -> Prices:
        """Answer the prices that hold at `now`. Raises `FailedPrecondition` if there are none."""
        if count := self._count_until(now):
            return self._books[count - 1].prices
        raise FailedPrecondition(PRICE_BOOK_MISSING, "no price book is in force")

    def version(self, version: str) -> Prices | None:
        """Answer a version that is in force, was within `KEPT_FOR`, or will be; else None."""
        return self._by_version.get(version)

    @property
    def last_effective_at(self) -> datetime | None:
        """From when on the latest book holds; None if there is none."""
        return self._books[-1].effective_at if self._books else None

    def add(self, books: list[Dated], now: datetime) -> None:
        """Add books that hold from later on than all before; drop what was replaced long ago."""
        known = self.last_effective_at
        self._books += [each for each in books if known is None or each.effective_at > known]
        del self._books[: max(self._count_until(now - KEPT_FOR) - 1, 0)]
        self._by_version = {each.prices.version: each.prices for each in self._books}

    def _count_until(self, moment: datetime) -> int:
        return bisect_right(self._books, moment, key=lambda each: each.effective_at)
