"""Lots on a real Postgres: stored, read back for the next batch, swept when they expire."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from privy.erp.v1 import event_pb2
from privy.wallet.v1 import ledger_pb2

from tests import plans
from tests.books import Books
from tests.databases import WalletDatabase
from wallet_service.decide.model import Transaction
from wallet_service.decide.plan import LotTerms
from wallet_service.errors import Refusal

LOTS = """
SELECT remaining_minor, lots.held_minor FROM lots JOIN accounts USING (account_id)
WHERE wallet_id = $1 ORDER BY transaction_id, lot_index
"""


async def top_up(
    books: Books,
    wallet_id: int,
    minor: int,
    priority: int = 10,
    expires_at: datetime | None = None,
) -> Transaction:
    lot = LotTerms("BONUS", priority, expires_at)
    return await books.post(replace(plans.top_up(wallet_id, minor), lot=lot))


async def lots(database: WalletDatabase, wallet_id: int) -> list[tuple[int, int]]:
    conn = await asyncpg.connect(database.owner_url)
    try:
        return [tuple(row) for row in await conn.fetch(LOTS, wallet_id)]
    finally:
        await conn.close()


async def test_each_batch_finds_the_lots_as_the_last_one_left_them(
    books: Books, wallet_database: WalletDatabase
) -> None:
    """Top-ups, booking, commit, cancellation, usage and void, each in a batch of its own."""
    wallet = await books.wallet(100)
    await top_up(books, wallet, 50)
    await top_up(books, wallet, 50, priority=5)
    booking = (await books.post(plans.booking(wallet, 80))).transaction_id
    assert await lots(wallet_database, wallet) == [(50, 30), (50, 50)]
    await books.post(plans.commit(wallet, booking, 60))
    assert await lots(wallet_database, wallet) == [(40, 20), (0, 0)]
    await books.post(plans.cancellation(wallet, booking))
    used = await books.post(plans.usage(wallet, 45))
    assert await lots(wallet_database, wallet) == [(0, 0), (0, 0)]
    await books.post(plans.void(wallet, used.transaction_id, 45))
    assert await lots(wallet_database, wallet) == [(40, 0), (0, 0)]
    assert await books.available(wallet) == 140


async def test_a_repeated_request_is_answered_with_its_draws(books: Books) -> None:
    """What was on which lot is told again as it was."""
    wallet = await books.wallet(100)
    opened = plans.top_up(wallet, 50)
    plan = replace(opened, lot=LotTerms("PACKAGE", 10, None))
    first = await books.post(plan)
    used = plans.usage(wallet, 70)
    first_used = await books.post(used)
    assert await books.post(plan) == first
    assert await books.post(used) == first_used
    assert first_used.entries[0].lot_entries[0].amount_minor == 50


async def test_many_at_once_never_overdraw_a_lot(
    books: Books, wallet_database: WalletDatabase
) -> None:
    """Of 100 usages of 3 over two processes, on lots of 50 and 100 plain, 66 are accepted."""
    wallet = await books.wallet(100)
    await top_up(books, wallet, 50)
    await top_up(books, wallet, 50)
    ledgers = [books.ledger, books.other_ledger]
    answers = await asyncio.gather(
        *(ledgers[i % 2].post(plans.usage(wallet, 3)) for i in range(100))
    )
    assert sum(isinstance(each, Transaction) for each in answers) == 66
    assert await lots(wallet_database, wallet) == [(0, 0), (0, 0)]


async def test_an_expired_lot_becomes_breakage(
    books: Books, wallet_database: WalletDatabase
) -> None:
    """From its time on it cannot be spent; one sweep earns it and tells finance, no second."""
    wallet = await books.wallet(100)
    expires_at = datetime.now(UTC) + timedelta(milliseconds=400)
    await top_up(books, wallet, 50, expires_at=expires_at)
    await asyncio.sleep((expires_at - datetime.now(UTC)).total_seconds() + 0.01)
    refusal = await books.ledger.post(plans.usage(wallet, 101))
    assert isinstance(refusal, Refusal)
    assert refusal.metadata["available_minor"] == "100"
    await asyncio.gather(books.expiry.sweep(), books.expiry.sweep())
    assert await books.expiry.sweep() == 0
    assert await lots(wallet_database, wallet) == [(0, 0)]
    assert await books.available(wallet) == 100
    told = (await books.feed.pull("publisher", 10, 0)).events[-1]
    event = event_pb2.CostRevenueEvent.FromString(told.payload)
    assert event.kind == ledger_pb2.TRANSACTION_KIND_BREAKAGE
    moved = [(each.key.account_type, each.amount_minor) for each in told.entries]
    assert moved == [("WALLET", 50), ("BREAKAGE", -50)]


async def test_a_group_spans_one_batch(books: Books) -> None:
    """A group of 600 is posted as a whole beside single plans; one bad plan refuses it whole."""
    wallet = await books.wallet(600)
    group = [plans.usage(wallet, 1) for _ in range(600)]
    bad = [*(plans.usage(wallet, 1) for _ in range(600)), plans.usage(wallet, 1000)]
    good_answers, bad_answers, alone = await asyncio.gather(
        books.ledger.post_group(group),
        books.ledger.post_group(bad),
        books.ledger.post(plans.top_up(wallet, 5)),
    )
    assert all(isinstance(each, Transaction) for each in [*good_answers, alone])
    assert all(isinstance(each, Refusal) for each in bad_answers)
    assert await books.available(wallet) == 5


@pytest.mark.parametrize("days", [89, 0])
async def test_requests_are_remembered_for_ninety_days_at_least(
    days: int, wallet_database: WalletDatabase
) -> None:
    """The service's role can forget no younger request, whatever it is configured to."""
    conn = await asyncpg.connect(wallet_database.service_url)
    try:
        with pytest.raises(asyncpg.CheckViolationError):
            await conn.fetchval("SELECT forget_requests($1, 10)", timedelta(days=days))
    finally:
        await conn.close()
