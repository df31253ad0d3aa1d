"""Publisher and sink killed with SIGKILL at each step of their loops: nothing lost or doubled."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack

import pytest
from google.pubsub_v1.types import PubsubMessage

from devstack.children import Command
from devstack.errors import ChildFailedError
from tests import plans
from tests.books import Books, open_books
from tests.databases import WalletDatabase
from tests.event_servers import (
    BUILT_IN,
    GOOGLES,
    Commands,
    Documents,
    EventServers,
    Project,
    event_servers,
    project,
    until,
)
from tests.faults import killed
from tests.finance_events import event_attributes, finance_event
from tests.publishers import ids_by_wallet, publishing, serving, settings_of
from tests.sinks import sinking
from transaction_service.erp_sink.settings import SinkSettings
from wallet_service import ids
from wallet_service.rpc.feed import EventFeedServicer

PATIENCE_S, POLL_S = 60, 0.5
WALLETS, EVENTS_OF_EACH = 20, 4
PUBLISHED = {
    "pulled": {1},
    "publishing": {1, 2},
    "half-published": {2},
    "published": {2},
    "acknowledging": {1, 2},
    "acknowledged": {1},
}
"""Points of the publisher's loop, and how often an event may come that it died with."""

WRITTEN = {
    "received": False,
    "buried": False,
    "committing": True,
    "in-commit": True,
    "committed": True,
    "acknowledging": False,
    "acknowledged": False,
}
"""Points of the sink's loop, and whether it has surely acknowledged nothing before."""

GOOD = {f"txn_{number}" for number in range(100)}
POISON = PubsubMessage(
    data=b"\xff", attributes=event_attributes(finance_event("txn_poison")), ordering_key="wal_1"
)


@pytest.fixture(scope="module", params=[BUILT_IN, GOOGLES], ids=["built-in", "google"])
def servers(request: pytest.FixtureRequest) -> Iterator[EventServers]:
    commands: Commands = request.param
    with event_servers(commands) as running:
        yield running


@pytest.fixture
async def books(wallet_database: WalletDatabase) -> AsyncIterator[Books]:
    async with open_books(wallet_database) as opened:
        yield opened


async def die(servers: EventServers, role: str, point: str, environment: Mapping[str, str]) -> None:
    """Run a process until it dies at `point`."""
    listen = {f"{role.upper()}_LISTEN": f"127.0.0.1:{servers.ports.take()}"}
    command = Command(
        f"{role}-{point}",
        (sys.executable, "-m", killed.__name__, role, point),
        {**servers.environment, **environment, **listen},
    )
    with pytest.raises(ChildFailedError, match="SIGKILL"):
        await servers.children.run(command)


@pytest.mark.parametrize(("point", "times"), PUBLISHED.items())
async def test_a_killed_publishers_events_are_published_by_the_next(
    servers: EventServers, books: Books, point: str, times: set[int]
) -> None:
    """Every event comes, each wallet's in order; twice only what was not acknowledged."""
    await servers.start("pubsub")
    wallets = [await books.wallet() for _ in range(WALLETS)]
    committed: dict[str, list[str]] = {ids.wallet_text(each): [] for each in wallets}
    for wallet in wallets * EVENTS_OF_EACH:
        posted = await books.post(plans.top_up(wallet, 1))
        committed[ids.wallet_text(wallet)].append(ids.transaction_text(posted.transaction_id))
    async with (
        project(servers.environment["PUBSUB_EMULATOR_HOST"]) as pubsub,
        serving(EventFeedServicer(books.feed)) as target,
    ):
        environment = {"GOOGLE_CLOUD_PROJECT": pubsub.name, "WALLET_TARGET": target}
        await die(servers, "publisher", point, environment)
        (dead,) = (await books.feed.status()).shards
        await books.feed.release(dead)
        async with publishing(settings_of(servers, pubsub, target)):
            await until_published(books)
        messages = await taken(pubsub, WALLETS * EVENTS_OF_EACH)
    assert ids_by_wallet(messages) == committed
    assert max(Counter(each.attributes["ce-id"] for each in messages).values()) in times


async def until_published(books: Books) -> None:
    async def is_empty() -> bool:
        return (await books.feed.status()).backlog.count == 0

    await until(is_empty, "the feed is empty")


async def taken(pubsub: Project, count: int) -> list[PubsubMessage]:
    """Take all that was published: so many events, and what came of them again."""
    messages = await pubsub.take(pubsub.topology.events_subscription, count)
    while more := await pubsub.pull(pubsub.topology.events_subscription):
        messages += more
    return messages


@pytest.mark.timeout(180)
async def test_a_killed_sinks_events_are_written_by_the_next(servers: EventServers) -> None:
    """At whichever point it died: each good event is one document, the poison one a dead letter.

    Each point has a project of its own, so that all wait for their redelivery at once.
    """
    await servers.start("pubsub")
    await servers.start("firestore")
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        for point, unacknowledged in WRITTEN.items():
            opened = project(servers.environment["PUBSUB_EMULATOR_HOST"])
            pubsub = await stack.enter_async_context(opened)
            await pubsub.publish(POISON, *map(_message, GOOD))
            await die(servers, "sink", point, {"GOOGLE_CLOUD_PROJECT": pubsub.name})
            redelivered = len(GOOD) if unacknowledged else 0
            tasks.create_task(_next_sink_writes_all(servers, pubsub, redelivered))


async def _next_sink_writes_all(servers: EventServers, pubsub: Project, redelivered: int) -> None:
    """Run a sink until it got so many good events, and every event is where it belongs."""
    settings = _sink_settings(servers, pubsub)

    async def is_done() -> bool:
        return counts["deliveries_written"] >= redelivered and await _documents(settings) == GOOD

    async with sinking(settings) as counts:
        async with asyncio.timeout(PATIENCE_S):
            while not await is_done():  # noqa: ASYNC110 (it happens in other processes)
                await asyncio.sleep(POLL_S)
        letters = await pubsub.take(pubsub.topology.dead_letter_subscription, 1)
    assert {each.attributes["ce-id"] for each in letters} == {"txn_poison"}


def _sink_settings(servers: EventServers, pubsub: Project) -> SinkSettings:
    return SinkSettings(
        sink_listen=f"127.0.0.1:{servers.ports.take()}",
        google_cloud_project=pubsub.name,
        pubsub_emulator_host=servers.environment["PUBSUB_EMULATOR_HOST"],
        firestore_emulator_host=servers.environment["FIRESTORE_EMULATOR_HOST"],
    )


async def _documents(settings: SinkSettings) -> set[str]:
    documents = Documents(
        settings.firestore_emulator_host,
        settings.google_cloud_project,
        settings.firestore_collection,
    )
    written = await documents.all()
    await documents.close()
    return set(written)


def _message(transaction_id: str) -> PubsubMessage:
    event = finance_event(transaction_id)
    return PubsubMessage(
        data=event.SerializeToString(), attributes=event_attributes(event), ordering_key="wal_1"
    )
