"""What usages are charged now, or as they were quoted. In memory: it waits for nothing."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from transaction_service.domain import Buyer, Charge, Profile, Quote, Quoted, Usage
from transaction_service.pricing.charging import charge
from transaction_service.pricing.price_books import PriceBooks
from transaction_service.pricing.prices import Prices
from transaction_service.quotes import HOLDS_FOR, Quotes, quote_expired

_charge_alike = lru_cache(maxsize=4096)(charge)
"""Most usages are charged like others, and their plans and messages are then alike too."""


class Pricer:
    """Raises what pricing and quotes raise, and `FailedPrecondition` without a book in force."""

    def __init__(
        self, price_books: PriceBooks, quotes: Quotes, clock: Callable[[], datetime]
    ) -> None:
        self._price_books = price_books
        self._quotes = quotes
        self._clock = clock

    def charge(self, usage: Usage, wallet: Profile) -> tuple[Charge, str]:
        """Price a usage, as it was quoted if it was; answer the price book's version too."""
        prices = self._prices(usage)
        return _charged(prices, usage, wallet), prices.version

    def quote(self, quote: Quote, wallet: Profile) -> Quoted:
        """Answer what a usage would be charged, and promise it for a while."""
        now = self._clock()
        prices = self._price_books.in_force(now)
        charged = _charged(prices, quote, wallet)
        expires_at = now.replace(microsecond=0) + HOLDS_FOR
        quote_id = self._quotes.issue(quote, prices.version, expires_at)
        return Quoted(charged, prices.version, quote_id, expires_at)

    def _prices(self, usage: Usage) -> Prices:
        now = self._clock()
        if not usage.quote_id:
            return self._price_books.in_force(now)
        version = self._quotes.version(usage, now)
        prices = self._price_books.version(version)
        if prices is None:  # No book is forgotten before its last quote: a clock is wrong.
            raise quote_expired(now)
        return prices


def _charged(prices: Prices, asked: Usage | Quote, wallet: Profile) -> Charge:
    buyer = Buyer(wallet.wallet_id, wallet.wallet_type, wallet.resellers)
    priced_as = prices.priced_as(asked.product_code, buyer)
    return _charge_alike(prices, asked.product_code, asked.quantity, priced_as)
