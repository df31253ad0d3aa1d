"""Statements find their rows by keys, whatever the planner believes of a table's size."""

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module

import pytest

from tests.databases import WalletDatabase
from wallet_service import store
from wallet_service.store import balances, connections, reading, verification

SURVEYS = {
    balances.LOAD_TRIAL_BALANCE,
    balances.LOAD_TRIAL_BALANCE_BEFORE,
    verification.ESTIMATE_TRANSACTIONS,
    *(comparison for _, comparison in verification.COMPARISONS),
}
"""What goes over all rows there are."""

SMALL = {"accounting_periods", "assets", "directory_epoch", "feed_consumers", "feed_shards"}
"""Tables of which every row is wanted, or which have few."""

STATEMENT = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b")
SCANNED = re.compile(r"Seq Scan on (\w+?)(?:_\d{4}_\d{2})?\b")
OTHERS = re.compile(r"Filter: .*\b(?:account_id|parent_wallet_id) = .*")
"""All are gone over, for the entries of one account or the wallets below one parent."""


def statements() -> Iterator[tuple[str, str]]:
    """Find every statement of the store, with its name."""
    for module in pkgutil.iter_modules(store.__path__, f"{store.__name__}."):
        for name, value in vars(import_module(module.name)).items():
            whole = name.isupper() and not name.startswith("_")
            if whole and isinstance(value, str) and STATEMENT.match(value):
                yield f"{module.name.rpartition('.')[2]}.{name}", value


KEYED = {name: statement for name, statement in statements() if statement not in SURVEYS}


async def plan_of(conn: connections.Connection, statement: str) -> str:
    """Explain the plan that a prepared statement has, whatever it is asked for."""
    # Else partitions that no NULL can be in are left out, and with them what would scan them.
    await conn.execute(f"SET enable_partition_pruning = off; PREPARE asked AS {statement}")
    count = await conn.fetchval(
        "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'asked'"
    )
    values = f"({', '.join(count * ['NULL'])})" if count else ""
    return "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN EXECUTE asked{values}"))


@pytest.mark.parametrize("name", KEYED)
async def test_a_statement_goes_by_keys_even_where_a_table_is_empty(
    wallet_database: WalletDatabase, name: str
) -> None:
    """There a scan looks cheapest to the planner, and a prepared statement would stay with it."""
    async with (
        await connections.open_pool(wallet_database.service_url, 1) as pool,
        pool.acquire() as conn,
    ):
        plan = await plan_of(conn, KEYED[name])
    scanned = set(SCANNED.findall(plan))
    assert scanned <= SMALL, plan
    assert not OTHERS.findall(plan), plan


async def test_a_read_of_months_is_planned_once(wallet_database: WalletDatabase) -> None:
    """Postgres would plan each anew, for the month that it asks for."""
    async with (
        await connections.open_pool(wallet_database.service_url, 1) as pool,
        pool.acquire() as conn,
    ):
        for asked in range(10):
            await reading.load_transactions(conn, [asked])
        plans = await conn.fetch(
            "SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements "
            "WHERE statement = $1",
            reading.LOAD_TRANSACTIONS,
        )
    assert [tuple(each) for each in plans] == [(10, 0)]


async def test_what_goes_over_all_rows_may_scan_them(wallet_database: WalletDatabase) -> None:
    """But only it: what comes next goes by keys again."""
    async with (
        await connections.open_pool(wallet_database.service_url, 1) as pool,
        pool.acquire() as conn,
    ):
        for setting, then in (("enable_seqscan", "on"), ("plan_cache_mode", "auto")):
            always = await conn.fetchval(f"SHOW {setting}")
            (row,) = await connections.survey(conn, f"SHOW {setting}")
            assert row[0] == then
            assert await conn.fetchval(f"SHOW {setting}") == always != then
