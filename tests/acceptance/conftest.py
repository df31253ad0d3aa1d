"""What acceptance tests share: callers by engine of the server, finance by kind of emulator."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from devstack.stack import Stack
from tests.acceptance.house import House, open_house
from tests.databases import WalletDatabase
from tests.event_servers import BUILT_IN, GOOGLES, Commands, EventServers, event_servers


@pytest.fixture(scope="session")
def native_environment(stack: Stack) -> Mapping[str, str]:
    """The stack with a Wallet and a front door beside its own, both served by engine native."""
    wallet = asyncio.run(stack.add("wallet-native", "wallet", RPC_ENGINE="native"))
    front = asyncio.run(
        stack.add("transaction-native", "transaction", RPC_ENGINE="native", WALLET_TARGET=wallet)
    )
    return {**stack.environment, "WALLET_TARGET": wallet, "TRANSACTION_TARGET": front}


@pytest.fixture(params=["grpcio", "native"])
def environment(request: pytest.FixtureRequest, stack: Stack) -> Mapping[str, str]:
    """Where callers find a stack that is served by either engine."""
    if request.param == "grpcio":
        return stack.environment
    native: Mapping[str, str] = request.getfixturevalue("native_environment")
    return native


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short name: the path of a socket in it may have 107 bytes."""
    return tmp_path_factory.mktemp("t")


@pytest.fixture(scope="module", params=[BUILT_IN, GOOGLES], ids=["built-in", "google"])
def servers(request: pytest.FixtureRequest) -> Iterator[EventServers]:
    """Pub/Sub and Firestore of either kind, the module's own."""
    commands: Commands = request.param
    with event_servers(commands) as running:
        yield running


@pytest.fixture
async def house(
    servers: EventServers, wallet_database: WalletDatabase, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    """All of it, with the Wallet and the sink running, and the publisher not yet."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", servers.environment["FIRESTORE_EMULATOR_HOST"])
    async with open_house(servers, wallet_database) as opened:
        yield opened
