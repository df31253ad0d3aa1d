"""The two naive services as processes of a benchmark."""

import asyncio
import sys
from contextlib import closing

from bench.naive.wallet import prepare
from devstack.children import Children, Command, Server
from devstack.ports import Ports
from devstack.postgres import ensure_database, postgres_url

FRONT, WALLET = "naive-front", "naive-wallet"
_DATABASE = "naive"


async def start_naive(children: Children, postgres: str, redis_url: str, wallet_ids: range) -> str:
    """Start both on a new database, with these wallets, of that Postgres; answer the address."""
    await ensure_database(postgres, _DATABASE)
    url = postgres_url(postgres, "postgres", _DATABASE)
    await prepare(url, wallet_ids)
    ports = Ports()
    front, wallet = (f"127.0.0.1:{ports.take()}" for _ in range(2))
    await children.serve(_server(WALLET, wallet, ("wallet", wallet, url)))
    await children.serve(_server(FRONT, front, ("front", front, wallet, redis_url)))
    return front


def _server(name: str, listen: str, arguments: tuple[str, ...]) -> Server:
    command = Command(name, (sys.executable, "-m", "bench.naive", *arguments))
    return Server(command, lambda: _listens(listen))


async def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    with closing(writer):
        return True
