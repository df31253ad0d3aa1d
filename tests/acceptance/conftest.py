"""What acceptance tests share: the same callers' environment, by what serves gRPC."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from devstack.stack import Stack


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
