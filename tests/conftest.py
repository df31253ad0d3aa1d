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
    WalletDatabase,
    copy_wallet_database,
    drop_database,
    make_wallet_template,
)


@pytest.fixture(scope="session")
def backing() -> Iterator[Backing]:
    """Postgres and Valkey, without any service."""
    with Children(temporary_folder(), base_environment(os.environ)) as children:
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
