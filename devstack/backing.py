"""Postgres and Valkey alone: what a test of one room needs."""

import asyncio
from dataclasses import dataclass

from devstack.children import Children
from devstack.ports import Ports
from devstack.postgres import postgres_url, start_postgres
from devstack.services import transaction_migrations, wallet_migrations
from devstack.valkey import redis_url, start_valkey


@dataclass(frozen=True, slots=True)
class Backing:
    """A running Postgres that trusts every login (`host:port`), and a running Valkey."""

    children: Children
    postgres: str
    redis_url: str

    def postgres_url(self, role: str, database: str) -> str:
        return postgres_url(self.postgres, role, database)

    async def migrate_wallet(self, database: str) -> None:
        """Bring a database to the wallet's newest schema."""
        owner_url = self.postgres_url("postgres", database)
        await self.children.run(wallet_migrations(owner_url))

    async def migrate_transaction(self, database: str) -> None:
        """Bring a database to the Transaction service's newest schema."""
        owner_url = self.postgres_url("postgres", database)
        await self.children.run(transaction_migrations(owner_url))


async def start_backing(children: Children) -> Backing:
    """Start both at the same time; DevstackError names the one that failed."""
    ports = Ports()
    postgres_port, valkey_port = ports.take(), ports.take()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(start_postgres(children, postgres_port))
            tasks.create_task(start_valkey(children, valkey_port))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    return Backing(children, f"127.0.0.1:{postgres_port}", redis_url(valkey_port))
