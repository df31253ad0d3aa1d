"""The real servers and processes that tests of several rooms share; each starts when first used.

All are ordinary functions: usable by tests with and without an event loop.
"""

import asyncio
import os
from collections.abc import Iterator

import pytest
import redis

from devstack.backing import Backing, start_backing
from devstack.children import Children, base_environment
from devstack.folder import temporary_folder
from devstack.stack import Stack, start_stack
from tests.databases import (
    TransactionDatabase,
    WalletDatabase,
    copy_transaction_database,
    copy_wallet_database,
    drop_database,
    make_transaction_template,
    make_wallet_template,
)


@pytest.fixture(scope="session")
def backing() -> Iterator[Backing]:
    """Postgres and Valkey, without any service.

    They are our own, or those that `TEST_POSTGRES_ADDRESS` (`host:port`, which trusts every login)
    and `TEST_REDIS_URL` name: they must be there for tests alone.
    """
    with Children(temporary_folder(), base_environment(os.environ)) as children:
        if postgres := os.environ.get("TEST_POSTGRES_ADDRESS"):
            yield Backing(children, postgres, os.environ["TEST_REDIS_URL"])
        else:
            yield asyncio.run(start_backing(children))


@pytest.fixture(scope="session")
def wallet_database_template(backing: Backing) -> str:
    """Name of a migrated database that nobody may connect to: it is there to be copied."""
    return asyncio.run(make_wallet_template(backing))


@pytest.fixture
def wallet_database(backing: Backing, wallet_database_template: str) -> Iterator[WalletDatabase]:
    """A migrated database of the test's own, dropped after."""
    database = asyncio.run(copy_wallet_database(backing, wallet_database_template))
    yield database
    asyncio.run(drop_database(backing, database.name))


@pytest.fixture(scope="session")
def transaction_database_template(backing: Backing) -> str:
    """Name of a migrated database that nobody may connect to: it is there to be copied."""
    return asyncio.run(make_transaction_template(backing))


@pytest.fixture
def transaction_database(
    backing: Backing, transaction_database_template: str
) -> Iterator[TransactionDatabase]:
    """A migrated database of the Transaction service, the test's own, dropped after."""
    database = asyncio.run(copy_transaction_database(backing, transaction_database_template))
    yield database
    asyncio.run(drop_database(backing, database.name))


@pytest.fixture
def redis_url(backing: Backing) -> str:
    """Address of an empty Valkey."""
    with redis.Redis.from_url(backing.redis_url) as client:
        client.flushall()
    return backing.redis_url


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole stack, on servers of its own."""
    with Children(temporary_folder(), base_environment(os.environ)) as children:
        yield asyncio.run(start_stack(children, report=lambda _: None))
