"""The whole stack: four servers and the product's four processes, each started when it can be."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial

from devstack.children import Children, Command, Server
from devstack.emulators import BEST, EmulatorCommand, Emulators, wait_ready
from devstack.ports import Ports
from devstack.postgres import ensure_database, postgres_url, start_postgres
from devstack.prices import publish_prices
from devstack.services import ROLES, service, transaction_migrations, wallet_migrations
from devstack.valkey import redis_url, start_valkey

# Each part with those that must be ready before it starts; the slowest stand first.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "pubsub": (),
    "firestore": (),
    "postgres": (),
    "valkey": (),
    "databases": ("postgres",),
    "wallet": ("databases",),
    "sink": ("pubsub", "firestore"),
    "transaction": ("wallet", "valkey", "databases"),
    "prices": ("transaction",),
    "publisher": ("wallet", "pubsub"),
}
_SERVERS = ("pubsub", "firestore", "postgres", "valkey")
_EMULATOR_PROBE_S = 0.5

Start = Callable[[], Awaitable[None]]
Report = Callable[[str], None]


class Stack:
    """A running stack: its addresses, and its parts by name.

    `environment` holds the variables under which clients and tests find everything.
    """

    def __init__(self, children: Children, ports: Ports, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self._children = children
        self._ports = ports
        self._services = {
            name: service(name, role, environment, environment[role.target])
            for name, role in ROLES.items()
        }

    def pid(self, name: str) -> int:
        """Give the process id of a server or service (`postgres`, `wallet`)."""
        return self._children.pid(name)

    async def end(self, name: str, signal_number: signal.Signals) -> int:
        """End a server or service with that signal, after 12 s with SIGKILL; answer its exit code.

        A negative exit code is the signal that ended it.
        """
        return await asyncio.to_thread(self._children.end, name, signal_number)

    async def start(self, name: str) -> None:
        """Start a service again at the address it had, and wait until it serves."""
        await self._children.serve(self._services[name])

    async def add(self, name: str, role: str, **variables: str) -> str:
        """Start one more service of `role` (a key of `ROLES`) as `name`; answer its address.

        `variables` of its environment differ from the stack's.
        """
        target = f"127.0.0.1:{self._ports.take()}"
        self._services[name] = service(name, ROLES[role], {**self.environment, **variables}, target)
        await self.start(name)
        return target


async def start_stack(
    children: Children, report: Report, engine: str = "grpcio", emulators: Emulators = BEST
) -> Stack:
    """Start everything; DevstackError names the part that failed.

    `report` is called with the name of each part (a key of `NEEDS`) once it is ready; `engine` is
    what serves gRPC.
    """
    ports = Ports()
    port_of = {name: ports.take() for name in (*_SERVERS, *ROLES)}
    stack = Stack(children, ports, _environment(port_of, engine))
    starts: dict[str, Start] = {
        **_server_starts(children, port_of, emulators),
        **{name: partial(stack.start, name) for name in ROLES},
        "prices": partial(publish_prices, children, stack.environment["TRANSACTION_TARGET"]),
    }
    try:
        await _start_parts(starts, report)
    except ExceptionGroup as group:
        raise group.exceptions[0] from None  # The others failed for want of it.
    return stack


def _server_starts(
    children: Children, port_of: Mapping[str, int], emulators: Emulators
) -> dict[str, Start]:
    postgres, valkey = port_of["postgres"], port_of["valkey"]
    return {
        **{
            name: partial(_emulate, children, name, command(port_of[name]), port_of[name])
            for name, command in emulators.items()
        },
        "postgres": partial(start_postgres, children, postgres),
        "valkey": partial(start_valkey, children, valkey),
        "databases": partial(_prepare_databases, children, f"127.0.0.1:{postgres}"),
    }


async def _start_parts(starts: Mapping[str, Start], report: Report) -> None:
    parts: dict[str, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as tasks:
        for name, needs in NEEDS.items():
            before = [parts[need] for need in needs]
            parts[name] = tasks.create_task(_start_part(name, starts[name], before, report))


async def _start_part(
    name: str, start: Start, before: Iterable[asyncio.Task[None]], report: Report
) -> None:
    for part in before:
        await part
    await start()
    report(name)


async def _emulate(children: Children, name: str, emulator: EmulatorCommand, port: int) -> None:
    command = Command(name, emulator.argv, emulator.env)
    await children.serve(Server(command, partial(_emulator_answers, port)))


async def _emulator_answers(port: int) -> bool:
    try:
        await wait_ready(port, _EMULATOR_PROBE_S)
    except TimeoutError:
        return False
    return True


async def _prepare_databases(children: Children, postgres: str) -> None:
    await ensure_database(postgres, "wallet")
    await ensure_database(postgres, "transaction")
    await children.run(wallet_migrations(postgres_url(postgres, "postgres", "wallet")))
    await children.run(transaction_migrations(postgres_url(postgres, "postgres", "transaction")))


def _environment(port_of: Mapping[str, int], engine: str) -> dict[str, str]:
    postgres = f"127.0.0.1:{port_of['postgres']}"
    return {
        **{role.target: f"127.0.0.1:{port_of[name]}" for name, role in ROLES.items()},
        "WALLET_DATABASE_URL": postgres_url(postgres, "wallet_service", "wallet"),
        "WALLET_OWNER_DATABASE_URL": postgres_url(postgres, "postgres", "wallet"),
        "TRANSACTION_DATABASE_URL": postgres_url(postgres, "transaction_service", "transaction"),
        "RPC_ENGINE": engine,
        "REDIS_URL": redis_url(port_of["valkey"]),
        "GOOGLE_CLOUD_PROJECT": "demo-transaction-wallet",
        "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{port_of['pubsub']}",
        "FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{port_of['firestore']}",
    }
