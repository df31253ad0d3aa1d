"""Pub/Sub and Firestore for tests, and what they hold."""

import asyncio
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import DeadlineExceeded, NotFound, ServiceUnavailable
from google.cloud.firestore_v1 import types as firestore_types
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from google.pubsub_v1.types import PubsubMessage
from grpc_health.v1 import health_pb2, health_pb2_grpc

from devstack.children import Children, Command, Server, base_environment
from devstack.emulators import (
    EmulatorCommand,
    built_in_firestore_command,
    built_in_pubsub_command,
    google_firestore_command,
    google_pubsub_command,
    wait_ready,
)
from devstack.folder import temporary_folder
from devstack.ports import Ports
from shared.finance_settings import Topology, TopologySettings, topology_of
from shared.rpc_client import open_channel
from transaction_service.topology import (
    PubSub,
    ensure_topology,
    open_pubsub,
)

LIMIT_S = 30.0


Commands = Mapping[str, Callable[[int], EmulatorCommand | None]]

BUILT_IN: Commands = {"pubsub": built_in_pubsub_command, "firestore": built_in_firestore_command}
GOOGLES: Commands = {"pubsub": google_pubsub_command, "firestore": google_firestore_command}


class EventServers:
    """Pub/Sub and Firestore, each of which may be ended and started again at its address."""

    def __init__(self, children: Children, commands: Commands) -> None:
        self.children = children
        self.ports = Ports()
        self._commands = commands
        self._ports = {name: self.ports.take() for name in self._commands}
        self._running: set[str] = set()

    @property
    def environment(self) -> dict[str, str]:
        return {
            f"{name.upper()}_EMULATOR_HOST": f"127.0.0.1:{port}"
            for name, port in self._ports.items()
        }

    async def start(self, name: str) -> None:
        """Start `pubsub` or `firestore`, empty, unless it runs."""
        if name in self._running:
            return
        port = self._ports[name]
        emulator = self._commands[name](port)
        if emulator is None:
            pytest.skip("this machine has no emulators of Google's")
        command = Command(name, emulator.argv, emulator.env)
        await self.children.serve(Server(command, lambda: _answers(port)))
        self._running.add(name)

    async def end(self, name: str) -> None:
        """End it at once, with all that it holds."""
        await asyncio.to_thread(self.children.end, name, signal.SIGKILL)
        self._running.remove(name)


@contextmanager
def event_servers(commands: Commands = BUILT_IN) -> Iterator[EventServers]:
    """Servers that start when they are first asked for, and end with the context."""
    with Children(temporary_folder(), base_environment(os.environ)) as children:
        yield EventServers(children, commands)


async def _answers(port: int) -> bool:
    try:
        await wait_ready(port, deadline_s=0.5)
    except TimeoutError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Project:
    """A project of the test's own, with its topics and subscriptions."""

    name: str
    topology: Topology
    pubsub: PubSub

    async def is_ensured(self) -> bool:
        """Say whether somebody made the events' subscription, the last thing to be made."""
        try:
            await self.pubsub.subscriber.get_subscription(
                subscription=self.topology.events_subscription, timeout=5, retry=None
            )
        except (NotFound, ServiceUnavailable):
            return False
        return True

    async def publish(self, *messages: PubsubMessage) -> None:
        await self.pubsub.publisher.publish(
            topic=self.topology.events_topic, messages=list(messages), timeout=5, retry=None
        )

    async def take(self, subscription: str, count: int) -> list[PubsubMessage]:
        """Take messages off `subscription` until there were `count` different events."""
        taken: list[PubsubMessage] = []
        deadline = time.monotonic() + LIMIT_S
        while len(ids := {each.attributes["ce-id"] for each in taken}) < count:
            assert time.monotonic() < deadline, f"{len(ids)} of {count} events came"
            taken += await self.pull(subscription)
        return taken

    async def pull(self, subscription: str) -> list[PubsubMessage]:
        """Take what there is off `subscription`; waits up to 2 s for it."""
        try:
            pulled = await self.pubsub.subscriber.pull(
                subscription=subscription, max_messages=1000, timeout=2, retry=None
            )
        except DeadlineExceeded:
            return []
        received = pulled.received_messages
        if received:
            ack_ids = [each.ack_id for each in received]
            await self.pubsub.subscriber.acknowledge(
                subscription=subscription, ack_ids=ack_ids, timeout=5, retry=None
            )
        return [each.message for each in received]


@asynccontextmanager
async def project(emulator_host: str) -> AsyncIterator[Project]:
    """Make a fresh project on the Pub/Sub emulator at `emulator_host`."""
    name = f"test-{uuid.uuid4().hex}"
    topology = topology_of(TopologySettings(google_cloud_project=name))
    async with open_pubsub(emulator_host) as pubsub:
        await ensure_topology(topology, pubsub)
        yield Project(name, topology, pubsub)


class Documents:
    """What a project's Firestore holds in one collection."""

    def __init__(self, address: str, project_name: str, collection: str) -> None:
        transport = FirestoreGrpcAsyncIOTransport(channel=grpc.aio.insecure_channel(address))
        self._client = FirestoreAsyncClient(transport=transport)
        self._parent = f"projects/{project_name}/databases/(default)/documents"
        self._collection = collection

    async def close(self) -> None:
        await self._client.transport.close()

    async def all(self) -> dict[str, Any]:
        """Answer every document, by id: plain protobuf messages."""
        selector = firestore_types.StructuredQuery.CollectionSelector
        query = firestore_types.StructuredQuery(from_=[selector(collection_id=self._collection)])
        answers = await self._client.run_query(
            request=firestore_types.RunQueryRequest(parent=self._parent, structured_query=query),
            timeout=10,
            retry=None,
        )
        plain = firestore_types.RunQueryResponse.pb
        documents = [plain(each).document async for each in answers if each.document.name]
        return {each.name.rpartition("/")[2]: each for each in documents}


async def until_serving(target: str) -> None:
    await until(lambda: serves(target), f"{target} serves")


async def until_not_serving(target: str) -> None:
    async def does_not() -> bool:
        return not await serves(target)

    await until(does_not, f"{target} does not serve")


async def serves(target: str, dependency: str = "") -> bool:
    """Say whether the process serves, or what it says of one of its dependencies."""
    async with open_channel(target, 2) as channel:
        try:
            answer = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=dependency), timeout=2
            )
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def until(
    condition: Callable[[], Awaitable[object]], what: str, limit_s: float = LIMIT_S
) -> None:
    """Wait until `condition` holds; AssertionError naming `what` if it does not in time."""
    deadline = time.monotonic() + limit_s
    while not await condition():
        assert time.monotonic() < deadline, f"not within {limit_s} s: {what}"
        await asyncio.sleep(0.02)


async def eventually(condition: Callable[[], object], what: str) -> None:
    """Do as `until` for a condition that is known without asking anybody."""

    async def known() -> object:
        return condition()

    await until(known, what)
