"""`python -m devstack.schema`: writes `migrations/schema.sql`, the sum of all migrations.

It is there to be read. A test proves that it is what the migrations make.
"""

import asyncio
import os
import re
import subprocess
from pathlib import Path

from devstack.backing import start_backing
from devstack.children import Children, base_environment
from devstack.folder import temporary_folder
from devstack.postgres import binary, ensure_database

SCHEMA_FILE = Path("migrations/schema.sql")
DATABASE = "wallet"

_HEADER = "-- The Wallet's schema after all migrations. Made by `make schema`; do not edit.\n"
_NOISE = re.compile(
    r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)\n", re.MULTILINE
)
# Months come and go with the calendar; what they are made from is what matters.
_MONTHLY = ("transactions_2*", "entries_2*", "lot_entries_2*")


def dump_schema(url: str) -> str:
    """Write down a database's schema, without what changes from month to month."""
    without_months = [f"--exclude-table={pattern}" for pattern in _MONTHLY]
    dump = subprocess.run(  # noqa: S603 (our own program)
        [binary("pg_dump"), "--schema-only", "--no-owner", *without_months, url],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    return _HEADER + re.sub(r"\n{3,}", "\n\n", _NOISE.sub("", dump))


async def migrated_schema() -> str:
    with Children(temporary_folder(), base_environment(os.environ)) as children:
        backing = await start_backing(children)
        await ensure_database(backing.postgres, DATABASE)
        await backing.migrate_wallet(DATABASE)
        return dump_schema(backing.postgres_url("postgres", DATABASE))


if __name__ == "__main__":
    SCHEMA_FILE.write_text(asyncio.run(migrated_schema()))
