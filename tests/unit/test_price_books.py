"""Which price book holds when."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import FailedPrecondition
from tests.price_lists import prices
from transaction_service.pricing.price_books import KEPT_FOR, Dated, PriceBooks

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


def dated(version: str, hours: int) -> Dated:
    return Dated(NOON + timedelta(hours=hours), prices(version=version))


def test_a_book_holds_from_its_effective_time_to_the_next() -> None:
    """To the microsecond, and none before the first."""
    books = PriceBooks()
    books.add([dated("a", 0), dated("b", 1)], NOON)
    assert books.in_force(NOON).version == "a"
    assert books.in_force(NOON + timedelta(hours=1) - INSTANT).version == "a"
    assert books.in_force(NOON + timedelta(hours=1)).version == "b"
    with pytest.raises(FailedPrecondition, match="no price book is in force"):
        books.in_force(NOON - INSTANT)


def test_what_was_replaced_is_kept_for_quotes_only() -> None:
    """A version can be asked for until a while after the next one took its place."""
    books = PriceBooks()
    books.add([dated("a", 0), dated("b", 1)], NOON)
    replaced = NOON + timedelta(hours=1)
    books.add([], replaced + KEPT_FOR - INSTANT)
    assert books.version("a") is not None
    books.add([], replaced + KEPT_FOR)
    assert books.version("a") is None
    assert books.version("b") is not None
    books.add([], replaced + timedelta(days=400))
    assert books.in_force(replaced + timedelta(days=400)).version == "b"


def test_a_book_that_is_there_is_not_added_twice() -> None:
    """Two looks for new books may find the same one."""
    books = PriceBooks()
    for _ in range(2):
        books.add([dated("a", 0)], NOON)
    books.add([dated("b", 1)], NOON)
    assert books.last_effective_at == NOON + timedelta(hours=1)
    assert books.in_force(NOON).version == "a"
