"""Brings the Transaction service's database to its newest schema."""

import asyncio
from pathlib import Path

from shared import migrations
from shared.process import load_settings
from shared.telemetry import configure_logging
from transaction_service.settings import MigrateSettings

DIRECTORY = Path(__file__).parent.parent / "migrations" / "transaction"


async def main(_stop: asyncio.Event) -> None:
    settings = load_settings(MigrateSettings)
    configure_logging(settings, "transaction")
    files = migrations.read_migrations(DIRECTORY)
    await migrations.run(
        settings.transaction_database_url, lambda conn: migrations.migrate(conn, files)
    )
