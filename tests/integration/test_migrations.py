"""Migrations on a real Postgres: complete, safe to race, and never edited."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import asyncpg
import pytest

from devstack.backing import Backing
from devstack.postgres import ensure_database
from devstack.schema import SCHEMA_FILE, dump_schema
from shared.migrations import Migration, MigrationRefused, pending, read_migrations, run
from tests.databases import WalletDatabase, drop_database
from wallet_service.migrate import DIRECTORY, migrate


@pytest.fixture
def empty_database(backing: Backing) -> Iterator[str]:
    asyncio.run(ensure_database(backing.postgres, "empty"))
    yield backing.postgres_url("postgres", "empty")
    asyncio.run(drop_database(backing, "empty"))


def test_the_schema_file_is_what_the_migrations_make(wallet_database: WalletDatabase) -> None:
    """`migrations/schema.sql`, which people read, equals the sum of all migrations."""
    assert SCHEMA_FILE.read_text() == dump_schema(wallet_database.owner_url)


async def test_migrations_may_race(empty_database: str) -> None:
    """Of four that start at once, one applies the files and three find nothing to do."""

    async def start() -> int:
        conn = await asyncpg.connect(empty_database)
        try:
            return await migrate(conn, read_migrations(DIRECTORY))
        finally:
            await conn.close()

    applied = await asyncio.gather(*(start() for _ in range(4)))
    assert sorted(applied) == [0, 0, 0, len(read_migrations(DIRECTORY))]


async def test_a_failing_file_leaves_nothing_behind(empty_database: str) -> None:
    """If one of two new files fails, neither is applied."""
    conn = await asyncpg.connect(empty_database)
    good, bad = Migration("0001_a.sql", "CREATE TABLE a ()"), Migration("0002_b.sql", "SELECT 1/0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(conn, [good, bad])
    assert await conn.fetchval("SELECT to_regclass('a')") is None
    await conn.close()


@pytest.mark.usefixtures("empty_database")
async def test_only_the_owner_may_apply(backing: Backing, wallet_database: WalletDatabase) -> None:
    """The service's own role is told whose URL to give; where nothing is to do, it may ask."""
    files = read_migrations(DIRECTORY)
    with pytest.raises(SystemExit, match="give the URL of the database's owner"):
        await run(
            backing.postgres_url("wallet_service", "empty"), lambda conn: migrate(conn, files)
        )
    await run(wallet_database.service_url, lambda conn: migrate(conn, files))


FIRST, SECOND = Migration("0001_a.sql", "SELECT 1"), Migration("0002_b.sql", "SELECT 2")


@pytest.mark.parametrize(
    ("files", "applied", "message"),
    [
        ([replace(FIRST, sql="SELECT 9")], [FIRST], "0001_a.sql was edited after it was applied"),
        ([FIRST], [FIRST, SECOND], "0002_b.sql, which this version does not know"),
        ([FIRST, SECOND], [SECOND], "0001_a.sql comes before what is applied"),
    ],
)
def test_files_that_disagree_with_the_database_are_refused(
    files: list[Migration], applied: list[Migration], message: str
) -> None:
    """An edited, a missing and a late file are each refused by name."""
    with pytest.raises(MigrationRefused, match=message):
        pending(files, {each.name: each.sha256 for each in applied})
