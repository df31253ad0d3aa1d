"""What tests on real servers share."""

import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack

import grpc
import pytest

from devstack.backing import Backing
from devstack.ports import Ports
from devstack.services import ROLES, service
from tests.books import Books, open_books
from tests.databases import WalletDatabase
from tests.event_servers import EventServers, Project, event_servers, project
from tests.wallet_calls import WalletCalls


@pytest.fixture
async def books(wallet_database: WalletDatabase) -> AsyncIterator[Books]:
    async with open_books(wallet_database) as opened:
        yield opened


@pytest.fixture
async def wallet_processes(
    backing: Backing, wallet_database: WalletDatabase
) -> AsyncIterator[Sequence[WalletCalls]]:
    """Two Wallet processes on one database, as their callers see them."""
    environment = {"WALLET_DATABASE_URL": wallet_database.service_url}
    ports = Ports()
    targets = {f"wallet-{i}": f"127.0.0.1:{ports.take()}" for i in range(2)}
    async with AsyncExitStack() as stack:
        for name, target in targets.items():
            await backing.children.serve(service(name, ROLES["wallet"], environment, target))
            stack.callback(backing.children.end, name, signal.SIGTERM)
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(each))
            for each in targets.values()
        ]
        yield [WalletCalls(each) for each in channels]


@pytest.fixture(scope="module")
def servers() -> Iterator[EventServers]:
    """The built-in Pub/Sub and Firestore, the module's own."""
    with event_servers() as running:
        yield running


@pytest.fixture
async def pubsub(servers: EventServers) -> AsyncIterator[Project]:
    """A fresh project on a running Pub/Sub."""
    await servers.start("pubsub")
    async with project(servers.environment["PUBSUB_EMULATOR_HOST"]) as fresh:
        yield fresh
