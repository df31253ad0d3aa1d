"""The database's own guards: what not even the service's role can do to the books."""

import asyncio
import inspect
import pkgutil
from collections.abc import AsyncIterator
from importlib import import_module

import asyncpg
import pytest

import wallet_service.store
from tests.databases import WalletDatabase
from wallet_service.store.connections import Connection

# A whole transaction by hand: wallet 1001 is topped up with 500.
SEED = """
INSERT INTO wallets (wallet_type, display_name) VALUES ('PERSONAL', 'guard');
INSERT INTO accounts (wallet_id, account_type, asset_code, stripe, balance_minor) VALUES
    (0, 'FUNDING', 'IDR', 0, 500), (1001, 'WALLET', 'IDR', 0, -500);
INSERT INTO transactions SELECT transaction_id_at(now()), 'TOP_UP', 1001, NULL, 'seed', '', '{}',
    '', '[]', NULL, '', now(), now();
INSERT INTO entries
    SELECT transaction_id, leg, leg + 1, 'IDR', 500 - 1000 * leg, 0, 500 - 1000 * leg, 0
    FROM transactions, generate_series(0, 1) AS leg;
"""

APPEND_ONLY = [
    "UPDATE entries SET amount_minor = amount_minor + 1",
    "DELETE FROM entries",
    "TRUNCATE entries",
    "UPDATE transactions SET reference = 'other'",
    "DELETE FROM transactions",
    "TRUNCATE transactions",
]

BROKEN = {
    "entries_balanced": "INSERT INTO entries SELECT transaction_id, 7, 1, 'IDR', 1, 0, 1, 0 "
    "FROM transactions",
    "accounts_available_not_negative": "UPDATE accounts SET balance_minor = 1 WHERE wallet_id > 0",
    "accounts_held_minor_not_negative": "UPDATE accounts SET held_minor = -1",
    "accounts_balance_minor_limit": "UPDATE accounts SET balance_minor = 2000000000000000000",
    "holds_taken_within_amount": "INSERT INTO holds (booking_id, part_index, wallet_id, "
    "account_id, amount_minor, captured_minor, released_minor) VALUES (1, 0, 1001, 2, 10, 6, 5)",
    "spending_windows_spent_minor_not_negative": "INSERT INTO spending_windows VALUES "
    "(1001, 'IDR', '', 'DAY', '2026-01-01', -1)",
    "voids_voided_within_amount": "INSERT INTO voids VALUES (1, 10, 11)",
    "accounts_credit_limit_minor_range": "UPDATE accounts SET credit_limit_minor = -1",
    "transactions_voids_something": "INSERT INTO transactions SELECT transaction_id + 1, 'VOID', "
    "1001, NULL, 'v', '', '{}', '', '[]', NULL, '', now(), now() FROM transactions",
    "requests_one_outcome": "INSERT INTO requests VALUES ('a', 'b', 1, NULL, '{}', now())",
}


@pytest.fixture
async def owner(
    wallet_database: WalletDatabase,
) -> AsyncIterator[Connection]:
    conn = await asyncpg.connect(wallet_database.owner_url)
    await conn.execute(SEED)
    yield conn
    await conn.close()


@pytest.fixture
async def service(wallet_database: WalletDatabase, owner: Connection) -> AsyncIterator[Connection]:
    assert owner
    conn = await asyncpg.connect(wallet_database.service_url)
    yield conn
    await conn.close()


@pytest.mark.parametrize("statement", APPEND_ONLY)
async def test_the_books_are_append_only(statement: str, owner: Connection) -> None:
    """Even the owner's UPDATE, DELETE and TRUNCATE are refused by trigger."""
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await owner.execute(statement)


@pytest.mark.parametrize("statement", APPEND_ONLY)
async def test_a_month_is_append_only_too(statement: str, owner: Connection) -> None:
    """The guards hold on a partition that is named directly."""
    table = "entries" if "entries" in statement else "transactions"
    month = await owner.fetchval(f"SELECT tableoid::regclass::text FROM {table} LIMIT 1")  # noqa: S608
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await owner.execute(statement.replace(table, month))


@pytest.mark.parametrize("statement", [*APPEND_ONLY, "DROP TABLE entries", "DELETE FROM accounts",
    "UPDATE wallets SET version = 0, created_at = now()",
    "ALTER TABLE entries DISABLE TRIGGER ALL"])  # fmt: skip
async def test_the_services_role_may_not_even_try(statement: str, service: Connection) -> None:
    """The service's own login lacks the privileges that would break the books."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(statement)


@pytest.mark.parametrize("constraint", BROKEN)
async def test_each_limit_is_the_databases_own(constraint: str, owner: Connection) -> None:
    """A row that breaks a rule is refused by the constraint of that name."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await owner.execute(BROKEN[constraint])
    assert refused.value.constraint_name == constraint


def _statements() -> dict[str, str]:
    """Every SQL constant of the store's modules, by name."""
    modules = [
        import_module(f"wallet_service.store.{each.name}")
        for each in pkgutil.iter_modules(wallet_service.store.__path__)
    ]
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}": value
        for module in modules
        for name, value in inspect.getmembers(module, lambda each: isinstance(each, str))
        if name.isupper() and " " in value and not name.startswith("_")
    }


@pytest.mark.parametrize("name", _statements())
async def test_every_statement_can_be_prepared(name: str, service: Connection) -> None:
    """The schema knows every table, column and type that a statement names."""
    await service.prepare(_statements()[name])


async def test_new_months_keep_no_statistics_of_payload(
    service: Connection, owner: Connection
) -> None:
    """ANALYZE leaves out of a new partition what it leaves out of the table as a whole."""
    await service.execute("SELECT ensure_partitions(5)")
    rows = await owner.fetch(
        "SELECT attrelid::regclass::text AS name, array_agg(attname::text) AS left_out "
        "FROM pg_attribute WHERE attrelid IN (SELECT relid FROM pg_partition_tree('transactions')) "
        "AND attstattarget = 0 GROUP BY 1"
    )
    left_out = {row["name"]: set(row["left_out"]) for row in rows}
    assert len(left_out) == 1 + 6
    assert "charges" in left_out["transactions"]
    assert all(each == left_out["transactions"] for each in left_out.values())


async def test_months_ahead_exist(service: Connection) -> None:
    """A month that is still to come has its partition, and asking again in parallel is safe."""
    await asyncio.gather(service.execute("SELECT ensure_partitions(3)"))
    rows = await service.fetch(
        "SELECT inhparent::regclass::text AS parent, count(*) FROM pg_inherits "
        "WHERE inhparent IN ('entries'::regclass, 'transactions'::regclass) GROUP BY 1"
    )
    assert {row[0]: row[1] for row in rows} == {"entries": 4, "transactions": 4}
