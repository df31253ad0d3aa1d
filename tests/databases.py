"""Databases for single tests, copied from one that was migrated once."""

import uuid
from dataclasses import dataclass

from devstack.backing import Backing
from devstack.postgres import connected, ensure_database


@dataclass(frozen=True, slots=True)
class WalletDatabase:
    """A fresh database with the wallet's schema, as its owner and as the service see it."""

    name: str
    owner_url: str
    service_url: str


async def make_wallet_template(backing: Backing) -> str:
    """Migrate a database for others to be copied from; answer its name."""
    name = "wallet_template"
    await ensure_database(backing.postgres, name)
    await backing.migrate_wallet(name)
    return name


async def copy_wallet_database(backing: Backing, template: str) -> WalletDatabase:
    name = f"wallet_{uuid.uuid4().hex}"
    async with connected(backing.postgres) as connection:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return WalletDatabase(
        name,
        backing.postgres_url("postgres", name),
        backing.postgres_url("wallet_service", name),
    )


@dataclass(frozen=True, slots=True)
class TransactionDatabase:
    """A fresh database with the Transaction service's schema, for its owner and the service."""

    name: str
    owner_url: str
    service_url: str


async def make_transaction_template(backing: Backing) -> str:
    """Migrate a database for others to be copied from; answer its name."""
    name = "transaction_template"
    await ensure_database(backing.postgres, name)
    await backing.migrate_transaction(name)
    return name


async def copy_transaction_database(backing: Backing, template: str) -> TransactionDatabase:
    name = f"transaction_{uuid.uuid4().hex}"
    async with connected(backing.postgres) as connection:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return TransactionDatabase(
        name,
        backing.postgres_url("postgres", name),
        backing.postgres_url("transaction_service", name),
    )


async def drop_database(backing: Backing, name: str) -> None:
    """Remove the database, and whoever is still connected to it."""
    async with connected(backing.postgres) as connection:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
