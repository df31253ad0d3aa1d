"""Accounting periods: closed once for all, with everything that was under way inside."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import AlreadyExists, FailedPrecondition, InvalidArgument
from tests import plans
from tests.books import Books, request
from wallet_service.decide.model import Transaction
from wallet_service.errors import Refusal
from wallet_service.periods import LAST
from wallet_service.store.balances import Bound

JANUARY, FEBRUARY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


async def test_nothing_counts_in_a_closed_period_any_more(books: Books) -> None:
    """Right before the end is refused, durably; the end itself is open."""
    wallet = await books.wallet(100)
    await books.periods.close(request(), FEBRUARY)
    late = replace(plans.usage(wallet, 1), effective_at=FEBRUARY - timedelta(microseconds=1))
    refusal = await books.ledger.post(late)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "PERIOD_CLOSED"
    assert await books.ledger.post(late) == refusal
    await books.post(replace(plans.usage(wallet, 1), effective_at=FEBRUARY))


async def test_periods_follow_one_another(books: Books) -> None:
    """Each starts where the last one ended; an earlier or the same end is refused."""
    first = await books.periods.close(request(), JANUARY)
    second = await books.periods.close(request(), FEBRUARY)
    assert (first.starts_at, second.starts_at) == (None, JANUARY)
    assert await books.periods.page(LAST, 10) == [second, first]
    assert await books.periods.page(second.period_id, 10) == [first]
    for ends_at in (JANUARY, FEBRUARY):
        with pytest.raises(FailedPrecondition, match="closed up to"):
            await books.periods.close(request(), ends_at)


async def test_a_period_is_closed_once_for_a_request(books: Books) -> None:
    """The same request gets the same period; another body is refused; a trial does nothing."""
    trial = replace(request(), validate_only=True)
    assert (await books.periods.close(trial, JANUARY)).period_id == 0
    same = request("close")
    first = await books.periods.close(same, JANUARY)
    assert await books.periods.close(same, JANUARY) == first
    with pytest.raises(AlreadyExists):
        await books.periods.close(request("close", "other"), FEBRUARY)


async def test_the_future_cannot_be_closed(books: Books) -> None:
    """A time to come is at fault, and nothing is kept of the request."""
    with pytest.raises(InvalidArgument, match="end_time"):
        await books.periods.close(request("again"), datetime.now(UTC) + timedelta(minutes=1))
    await books.periods.close(request("again"), JANUARY)


async def test_closing_under_load_leaves_nobody_behind(books: Books) -> None:
    """What a period held when it was closed is what it holds for ever."""
    wallet = await books.wallet(10_000)
    closed: list[tuple[datetime, int]] = []

    async def close() -> None:
        period = await books.periods.close(request(), datetime.now(UTC))
        bound = Bound(period.ends_at, by_effective_time=True)
        (then,) = await books.reports.balances(wallet, bound)
        closed.append((period.ends_at, then.posted_minor))

    ledgers = [books.ledger, books.other_ledger]
    for _ in range(5):
        answers = await asyncio.gather(
            *(ledgers[i % 2].post(plans.usage(wallet, 1)) for i in range(100)), close()
        )
        assert all(isinstance(each, Transaction) for each in answers[:-1])
    for ends_at, posted_minor in closed:
        (then,) = await books.reports.balances(wallet, Bound(ends_at, by_effective_time=True))
        assert then.posted_minor == posted_minor
