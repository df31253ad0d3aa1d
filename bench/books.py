"""The ledger alone, beside pgbench, in turns: on empty books, and on full ones."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bench import ledger, loading, tpcb
from bench.checks import check
from bench.report import Check, Claim, Part, Progress, Sheet, ratio
from bench.size import Size
from devstack.backing import Backing, start_backing
from devstack.children import Children, base_environment
from devstack.folder import temporary_folder
from devstack.ports import Ports
from devstack.postgres import ensure_database
from devstack.services import ROLES, service
from wallet_service.ledger import Ledger

ALONE, GROWTH = "The ledger alone", "Cost of a plan by size of the ledger"
TPCB = "TPC-B (pgbench)"
RATE, COST = "plans/s", "µs"


@dataclass(frozen=True, slots=True)
class _Book:
    ledger: Ledger
    wallet_ids: list[int]


async def measure_books(size: Size, progress: Progress) -> Part:
    """Measure everything in turns, so that whatever else the machine does falls on all alike."""
    alone, growth = Sheet(ALONE), Sheet(GROWTH)
    with Children(temporary_folder(), base_environment(os.environ)) as children:
        backing = await start_backing(children)
        progress(f"ledger: filling pgbench's tables (scale {size.scale})")
        await ensure_database(backing.postgres, "tpcb")
        tpcb_url = backing.postgres_url("postgres", "tpcb")
        await asyncio.to_thread(tpcb.fill, tpcb_url, size.scale)
        async with _books(backing, size, progress) as books:
            for number in range(size.rounds):
                progress(f"ledger: round {number + 1} of {size.rounds}")
                alone.add(TPCB, {RATE: await asyncio.to_thread(tpcb.run, tpcb_url, size.seconds)})
                await _round(number, size, books, alone, growth)
        progress("ledger: verifying the books")
        checks = [each for entries in size.entries for each in await _checks(backing, entries)]
    return Part([alone, growth], list(_claims(alone, growth, size)), checks)


@asynccontextmanager
async def _books(
    backing: Backing, size: Size, progress: Progress
) -> AsyncIterator[Mapping[int, _Book]]:
    """Make a ledger of each size, by its number of entries."""
    books: dict[int, _Book] = {}
    async with AsyncExitStack() as opened:
        for entries in size.entries:
            progress(f"ledger: loading one with {entries:,} entries")
            name = _database(entries)
            await ensure_database(backing.postgres, name)
            await backing.migrate_wallet(name)
            owner_url = backing.postgres_url("postgres", name)
            wallet_ids = await loading.load(owner_url, size.wallets, entries)
            url = backing.postgres_url("wallet_service", name)
            opened_ledger = await opened.enter_async_context(ledger.open_ledger(url))
            books[entries] = _Book(opened_ledger, wallet_ids)
        yield books


async def _round(
    number: int, size: Size, books: Mapping[int, _Book], alone: Sheet, growth: Sheet
) -> None:
    smallest = books[size.entries[0]]
    traffic = ledger.Traffic(smallest.wallet_ids, number)
    for name, make in (("hot wallet", traffic.hot), ("mixed", traffic.mixed)):
        alone.add(name, _figures(await ledger.run(smallest.ledger, make, size.seconds)))
    for entries, book in books.items():
        uniform = ledger.Traffic(book.wallet_ids, number).uniform
        pace = await ledger.run(book.ledger, uniform, size.seconds)
        if book is smallest:
            alone.add("uniform", _figures(pace))
        growth.add(f"{entries:,}", _figures(pace))


def _figures(pace: ledger.Pace) -> dict[str, float]:
    return {
        RATE: pace.plans_per_s,
        "own µs": pace.own_cpu_us,
        "postgres µs": pace.postgres_cpu_us,
        COST: pace.own_cpu_us + pace.postgres_cpu_us,
    }


async def _checks(backing: Backing, entries: int) -> list[Check]:
    """Let a Wallet verify one of the ledgers."""
    target = f"127.0.0.1:{Ports().take()}"
    url = backing.postgres_url("wallet_service", _database(entries))
    environment = {"WALLET_DATABASE_URL": url, "WALLET_TARGET": target}
    await backing.children.serve(service("wallet", ROLES["wallet"], environment, target))
    checks = await check(f"ledger with {entries:,} loaded", environment, events=False)
    await asyncio.to_thread(backing.children.end, "wallet", signal.SIGTERM)
    return checks


def _database(entries: int) -> str:
    return f"ledger_{entries}"


def _claims(alone: Sheet, growth: Sheet, size: Size) -> Iterator[Claim]:
    base = alone.rows[TPCB][RATE]
    uniform, hot, mixed = (alone.rows[name][RATE] for name in ("uniform", "hot wallet", "mixed"))
    yield ratio("ledger, uniform to TPC-B", uniform, base, at_least=5)
    yield ratio("ledger, hot wallet to TPC-B", hot, base, at_least=5)
    yield ratio("ledger, mixed to TPC-B", mixed, base)
    yield ratio("ledger, hot wallet to uniform", hot, uniform, at_least=1)
    first, last = f"{size.entries[0]:,}", f"{size.entries[-1]:,}"
    costs = growth.rows[last][COST], growth.rows[first][COST]
    yield ratio(f"ledger, processor time, {last} entries to {first}", *costs, at_most=1.3)
