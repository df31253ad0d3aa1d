"""Everything that carries finance's events, several of each and killed in turn, at once."""

import asyncio
import signal

import pytest

from tests import plans
from tests.acceptance.house import House, told
from tests.event_servers import until

WALLETS, USAGES = 20, 30
EVENTS = WALLETS * (1 + USAGES)
CARRIERS = ("publisher", "publisher-2", "sink", "sink-2", "sink-3")


@pytest.mark.timeout(300)
async def test_two_publishers_and_three_sinks_that_die_tell_everything_once(house: House) -> None:
    """Each is killed while events flow, and comes again: documents and sums are the ledger's."""
    async with house.serving("publisher", "publisher-2", "sink-2", "sink-3"):
        posting = asyncio.create_task(use_wallets(house))
        for number, name in enumerate(CARRIERS, 1):
            await until_some_are_written(house, number * EVENTS // (2 * len(CARRIERS)))
            await house.end(name, signal.SIGKILL)
            await house.serve(name)
        await posting
        assert house.differences("--patience", "120") == (EVENTS, set())
    assert house.walletctl.run("pnl", "show").returncode == 0


async def use_wallets(house: House) -> None:
    """Top up some wallets, and use something of each in turn, one after the other."""
    wallets = [await house.books.wallet() for _ in range(WALLETS)]
    for wallet in wallets:
        await house.books.post(told(plans.top_up(wallet, 1_000)))
    for _ in range(USAGES):
        for wallet in wallets:
            await house.books.post(told(plans.usage(wallet, 7)))
            await asyncio.sleep(0.02)  # Events flow for a while, that some are always under way.


async def until_some_are_written(house: House, count: int) -> None:
    async def are_written() -> bool:
        return len(house.documents()) >= count

    await until(are_written, f"{count} documents are written")
