"""Brings the Wallet's database to its newest schema, with the months ahead."""

import asyncio
from pathlib import Path

import asyncpg

from shared import migrations
from shared.migrations import Migration, read_migrations
from shared.process import load_settings
from shared.telemetry import configure_logging
from wallet_service.settings import MigrateSettings
from wallet_service.store.upkeep import ENSURE_PARTITIONS, MONTHS_AHEAD

DIRECTORY = Path(__file__).parent.parent / "migrations" / "wallet"


async def migrate(conn: "asyncpg.Connection[asyncpg.Record]", files: list[Migration]) -> int:
    """Apply what is missing, all or nothing, and answer how many files that were."""
    async with conn.transaction():
        count = await migrations.migrate(conn, files)
        await conn.execute(ENSURE_PARTITIONS, MONTHS_AHEAD)
    return count


async def main(_stop: asyncio.Event) -> None:
    settings = load_settings(MigrateSettings)
    configure_logging(settings, "wallet")
    files = read_migrations(DIRECTORY)
    await migrations.run(settings.wallet_database_url, lambda conn: migrate(conn, files))
