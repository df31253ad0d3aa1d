"""The bank test: money that only moves between wallets comes to the same total at every moment."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import asyncpg
import pytest

from tests import asks
from tests.acceptance.clients import new_id
from tests.asks import NEVER, PLAIN, Terms
from tests.databases import WalletDatabase
from tests.wallet_calls import WalletCalls, plan_of
from wallet_service.store.connections import Connection

CLIENTS, TRANSFERS = 20, 50
WALLETS, FUNDS = 12, 1000

Snapshot = dict[str, int]
"""What each wallet has."""

SNAPSHOT = """
SELECT 'wal_' || wallet_id AS wallet, -balance_minor AS funds FROM accounts WHERE wallet_id > 0
"""


async def open_wallet(calls: WalletCalls, terms: Terms) -> str:
    wallet = await calls.create_wallet()
    ask = asks.top_up(new_id(), wallet, "IDR", FUNDS, terms)
    (result,) = await calls.post([plan_of(ask, {})])
    assert result.HasField("transaction")
    return wallet


async def transfer_at_random(
    calls: WalletCalls, wallets: Sequence[str], chance: random.Random
) -> int:
    """Transfer one after the other, often more than there is; answer how many were accepted."""
    accepted = 0
    for _ in range(TRANSFERS):
        source, target = chance.sample(wallets, 2)
        ask = asks.transfer(new_id(), source, target, "IDR", chance.randint(1, FUNDS))
        (result,) = await calls.post([plan_of(ask, {})])
        accepted += result.HasField("transaction")
    return accepted


class Watcher:
    """Looks at the books in every way there is, while others change them."""

    def __init__(self, calls: WalletCalls, conn: Connection, wallets: Sequence[str]) -> None:
        self._calls = calls
        self._conn = conn
        self._wallets = wallets
        self._last_look = datetime.now(UTC)
        self.seen: list[Snapshot] = []

    async def look(self) -> None:
        """Look at what is now, at what is as of now, and at what was at the look before."""
        now, then = datetime.now(UTC), self._last_look
        self.seen += [await self._snapshot(), await self._as_of(now), await self._as_of(then)]
        for moment in (NEVER, now, then):
            sums = await self._calls.trial_balance(moment)
            assert sums["WALLET", "IDR"] == -WALLETS * FUNDS
            assert sum(sums.values()) == 0
        self._last_look = now

    async def _snapshot(self) -> Snapshot:
        """Read all wallets in one statement, which sees one moment."""
        return {row["wallet"]: row["funds"] for row in await self._conn.fetch(SNAPSHOT)}

    async def _as_of(self, moment: datetime) -> Snapshot:
        """Ask for each wallet as of one moment, in a call of its own."""
        asked = (self._calls.balances(wallet, moment) for wallet in self._wallets)
        found = await asyncio.gather(*asked)
        return {wallet: each["IDR"][0] for wallet, each in zip(self._wallets, found, strict=True)}


@pytest.fixture
async def conn(wallet_database: WalletDatabase) -> AsyncIterator[Connection]:
    conn = await asyncpg.connect(wallet_database.service_url)
    yield conn
    await conn.close()


async def test_the_total_is_the_same_at_every_snapshot(
    wallet_processes: Sequence[WalletCalls], conn: Connection
) -> None:
    """While twenty clients transfer at random, no reader sees money made, lost or on its way."""
    calls, *_ = wallet_processes
    lots = [Terms("BONUS", 10), Terms("PACKAGE", 200), PLAIN]
    wallets = [await open_wallet(calls, lots[i % 3]) for i in range(WALLETS)]
    clients = [
        transfer_at_random(wallet_processes[i % 2], wallets, random.Random(i))  # noqa: S311
        for i in range(CLIENTS)
    ]
    watcher = Watcher(calls, conn, wallets)
    async with asyncio.TaskGroup() as tasks:
        transfers = [tasks.create_task(each) for each in clients]
        while not all(each.done() for each in transfers):
            await watcher.look()
    await watcher.look()
    assert sum(each.result() for each in transfers) > CLIENTS * TRANSFERS / 4
    assert {sum(each.values()) for each in watcher.seen} == {WALLETS * FUNDS}
    assert min(min(each.values()) for each in watcher.seen) >= 0
    assert len({tuple(each.values()) for each in watcher.seen}) > 10
