"""Emulators as processes of the tests."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from devstack.children import Children, Command, Server
from devstack.emulators import EmulatorCommand, wait_ready
from devstack.ports import Ports

MakeCommand = Callable[[int], EmulatorCommand | None]


@contextmanager
def running(make: MakeCommand, children: Children) -> Iterator[str]:
    """Run an emulator and answer its address, or skip if this machine has none."""
    port = Ports().take()
    name = start(make, port, children)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        children.end(name, signal.SIGTERM)


def start(make: MakeCommand, port: int, children: Children) -> str:
    """Start an emulator on `port` and wait until it serves; answer the child's name."""
    command = make(port)
    if command is None:
        pytest.skip("this machine lacks Google's emulator (in the Cloud SDK) or Java")
    name = f"{command.kind}-{port}"
    server = Server(Command(name, command.argv, command.env), lambda: answers(port))
    asyncio.run(children.serve(server))
    return name


async def answers(port: int) -> bool:
    try:
        await wait_ready(port, deadline_s=1.0)
    except TimeoutError:
        return False
    return True
