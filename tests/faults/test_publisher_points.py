"""Publishers that fail at each step of their loop: nothing lost, nothing out of order."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import psutil
import pytest
from google.pubsub_v1.types import PubsubMessage

from devstack.children import Children, Server
from tests import plans
from tests.books import Books, open_books
from tests.databases import WalletDatabase
from tests.event_servers import EventServers, Project, project, until
from tests.faults.processes import command_of, die
from tests.publishers import ids_by_wallet, publishing, serving, settings_of
from wallet_service import ids
from wallet_service.rpc.feed import EventFeedServicer

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


@pytest.fixture
async def books(wallet_database: WalletDatabase) -> AsyncIterator[Books]:
    async with open_books(wallet_database) as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class Publishing:
    """Books with events in their feed, and a Pub/Sub project to publish them to."""

    servers: EventServers
    books: Books
    pubsub: Project
    feed_target: str
    committed: dict[str, list[str]] = field(default_factory=dict)
    """The ids of events by wallet, in order."""

    @property
    def environment(self) -> Mapping[str, str]:
        return {"GOOGLE_CLOUD_PROJECT": self.pubsub.name, "WALLET_TARGET": self.feed_target}

    async def commit(self, wallets: Sequence[int]) -> None:
        """Commit one event for each wallet."""
        for wallet in wallets:
            posted = await self.books.post(plans.top_up(wallet, 1))
            of_wallet = self.committed.setdefault(ids.wallet_text(wallet), [])
            of_wallet.append(ids.transaction_text(posted.transaction_id))

    async def publish_by_another(self) -> None:
        """Free what the only publisher has, as silence would, and have another publish it all."""
        (stricken_one,) = (await self.books.feed.status()).shards
        await self.books.feed.release(stricken_one)
        async with publishing(settings_of(self.servers, self.pubsub, self.feed_target)):
            await until(self._is_empty, "the feed is empty")

    async def _is_empty(self) -> bool:
        return (await self.books.feed.status()).backlog.count == 0

    async def published(self) -> list[PubsubMessage]:
        """Take all that was published: every event, and what came of them again."""
        count = sum(map(len, self.committed.values()))
        messages = await self.pubsub.take(self.pubsub.topology.events_subscription, count)
        while more := await self.pubsub.pull(self.pubsub.topology.events_subscription):
            messages += more
        return messages


@pytest.fixture
async def road(servers: EventServers, books: Books) -> AsyncIterator[Publishing]:
    await servers.start("pubsub")
    async with (
        project(servers.environment["PUBSUB_EMULATOR_HOST"]) as pubsub,
        serving(EventFeedServicer(books.feed)) as target,
    ):
        yield Publishing(servers, books, pubsub, target)


@pytest.mark.parametrize(("point", "times"), PUBLISHED.items())
async def test_a_killed_publishers_events_are_published_by_the_next(
    road: Publishing, point: str, times: set[int]
) -> None:
    """Every event comes, each wallet's in order; twice only what was not acknowledged."""
    await road.commit([await road.books.wallet() for _ in range(WALLETS)] * EVENTS_OF_EACH)
    await die(road.servers, "publisher", point, road.environment)
    await road.publish_by_another()
    messages = await road.published()
    assert ids_by_wallet(messages) == road.committed
    assert max(Counter(each.attributes["ce-id"] for each in messages).values()) in times


async def test_a_paused_publisher_repeats_and_reorders_nothing(road: Publishing) -> None:
    """It wakes up, and publishes what it had pulled, after others published that and more."""
    wallets = [await road.books.wallet() for _ in range(WALLETS)]
    await road.commit(wallets * EVENTS_OF_EACH)
    children = road.servers.children
    command = command_of(road.servers, "publisher", "paused", road.environment)
    await children.serve(Server(command, partial(_stands_still, children, command.name)))
    await road.commit(wallets)
    await road.publish_by_another()
    os.kill(children.pid(command.name), signal.SIGCONT)
    await road.commit(wallets)
    messages = await road.published()
    await asyncio.to_thread(children.end, command.name, signal.SIGTERM)
    assert ids_by_wallet(messages) == road.committed
    counts = Counter(each.attributes["ce-id"] for each in messages)
    assert Counter(counts.values()) == {2: WALLETS * EVENTS_OF_EACH, 1: 2 * WALLETS}


async def _stands_still(children: Children, name: str) -> bool:
    return psutil.Process(children.pid(name)).status() == psutil.STATUS_STOPPED
