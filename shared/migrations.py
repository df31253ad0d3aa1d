"""Applies numbered SQL files to a database, forward only.

All files are applied in one `db_tx` under an advisory lock, so that parallel starts are safe and
a failing file leaves nothing behind. What was applied is remembered with its digest: a file that
was edited afterwards is refused.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import structlog

LOCK = "SELECT pg_advisory_xact_lock(hashtext('transaction-wallet migrations'))"
IS_NEW = "SELECT to_regclass('migrations') IS NULL"
CREATE_TABLE = """
CREATE TABLE migrations (
    name text CONSTRAINT migrations_pkey PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
LOAD_APPLIED = "SELECT name, sha256 FROM migrations"
RECORD = "INSERT INTO migrations (name, sha256) VALUES ($1, $2)"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


class MigrationRefused(Exception):
    """The files and the database disagree; the message says on which file and how."""


def read_migrations(directory: Path) -> list[Migration]:
    return [Migration(path.name, path.read_text()) for path in sorted(directory.glob("*.sql"))]


def pending(migrations: list[Migration], applied: dict[str, str]) -> list[Migration]:
    """Answer what is still to be applied, in order. Raises `MigrationRefused`."""
    for migration in migrations:
        if applied.get(migration.name, migration.sha256) != migration.sha256:
            raise MigrationRefused(
                f"{migration.name} was edited after it was applied: restore it, add a new file"
            )
    if unknown := sorted(applied.keys() - {each.name for each in migrations}):
        raise MigrationRefused(
            f"the database has {unknown[0]}, which this version does not know: use a newer one"
        )
    waiting = [each for each in migrations if each.name not in applied]
    if applied and waiting and waiting[0].name < max(applied):
        raise MigrationRefused(f"{waiting[0].name} comes before what is applied: renumber it")
    return waiting


async def migrate(conn: "asyncpg.Connection[asyncpg.Record]", migrations: list[Migration]) -> int:
    """Apply what is missing, all or nothing, and answer how many files that were.

    Only who owns the database may apply something; the service's own role may ask.
    """
    async with conn.transaction():
        await conn.execute(LOCK)
        if await conn.fetchval(IS_NEW):
            await conn.execute(CREATE_TABLE)
        applied = {row["name"]: row["sha256"] for row in await conn.fetch(LOAD_APPLIED)}
        waiting = pending(migrations, applied)
        for migration in waiting:
            await conn.execute(migration.sql)
            await conn.execute(RECORD, migration.name, migration.sha256)
            _log.info("applied", migration=migration.name)
    return len(waiting)


async def run(
    url: str, change: "Callable[[asyncpg.Connection[asyncpg.Record]], Awaitable[int]]"
) -> None:
    """Let `change` migrate the database at `url`; where that fails, end the process with words."""
    try:
        conn = await asyncpg.connect(url, timeout=10, command_timeout=60)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise SystemExit(f"migrate: the database does not let us in: {error}") from None
    try:
        count = await change(conn)
    except MigrationRefused as refused:
        raise SystemExit(f"migrate: {refused}") from None
    except asyncpg.InsufficientPrivilegeError as error:
        raise SystemExit(f"migrate: give the URL of the database's owner: {error}") from None
    finally:
        await conn.close()
    _log.info("up to date", applied=count)
