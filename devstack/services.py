"""How each process of the product is started."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import grpc

from devstack.children import Command, Server
from shared.errors import Unavailable
from shared.rpc_client import open_channel, probe

_PROBE_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Role:
    """A kind of process: the arguments to Python, and what its addresses are called.

    `listen` names the variable that tells it where to listen, `target` the one that tells others.
    """

    arguments: tuple[str, ...]
    listen: str
    target: str


ROLES: Mapping[str, Role] = {
    "wallet": Role(("-m", "wallet_service", "serve"), "WALLET_LISTEN", "WALLET_TARGET"),
    "transaction": Role(
        ("-m", "transaction_service", "serve"), "TRANSACTION_LISTEN", "TRANSACTION_TARGET"
    ),
    "publisher": Role(
        ("-m", "transaction_service", "publish"), "PUBLISHER_LISTEN", "PUBLISHER_TARGET"
    ),
    "sink": Role(("-m", "transaction_service", "sink"), "SINK_LISTEN", "SINK_TARGET"),
}


def service(name: str, role: Role, environment: Mapping[str, str], listen: str) -> Server:
    """Say how to start a process of `role` under `name` on `listen` (`host:port`)."""
    command = Command(name, (sys.executable, *role.arguments), {**environment, role.listen: listen})
    return Server(command, lambda: _serves(listen))


def wallet_migrations(owner_url: str) -> Command:
    """Say how to bring the wallet's database to the newest schema, as the database's owner."""
    return Command(
        "wallet-migrations",
        (sys.executable, "-m", "wallet_service", "migrate"),
        {"WALLET_DATABASE_URL": owner_url},
    )


def transaction_migrations(owner_url: str) -> Command:
    """Say how to bring the Transaction service's database to its newest schema, as its owner."""
    return Command(
        "transaction-migrations",
        (sys.executable, "-m", "transaction_service", "migrate"),
        {"TRANSACTION_DATABASE_URL": owner_url},
    )


async def _serves(target: str) -> bool:
    """Ask the standard health service, each time on a new channel: an old one would back off."""
    try:
        async with open_channel(target, _PROBE_TIMEOUT_S) as channel:
            await probe(channel)
    except (grpc.aio.AioRpcError, Unavailable):
        return False
    return True
