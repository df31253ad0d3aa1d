"""Processes that fail at a step of their loop."""

import sys
from collections.abc import Mapping

import pytest

from devstack.children import Command
from devstack.errors import ChildFailedError
from tests.event_servers import EventServers
from tests.faults import stricken


def command_of(
    servers: EventServers, role: str, point: str, environment: Mapping[str, str]
) -> Command:
    """Say how to run a process that fails at `point`."""
    listen = {f"{role.upper()}_LISTEN": f"127.0.0.1:{servers.ports.take()}"}
    return Command(
        f"{role}-{point}",
        (sys.executable, "-m", stricken.__name__, role, point),
        {**servers.environment, **environment, **listen},
    )


async def die(servers: EventServers, role: str, point: str, environment: Mapping[str, str]) -> None:
    """Run a process until it dies at `point`."""
    with pytest.raises(ChildFailedError, match="SIGKILL"):
        await servers.children.run(command_of(servers, role, point, environment))
