"""Several publishers at once on one real feed, before a real Pub/Sub."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest

from devstack.services import ROLES, service
from tests import plans
from tests.books import Books
from tests.event_servers import EventServers, Project, until
from tests.publishers import ids_by_wallet, publishing, serving, settings_of
from wallet_service import ids
from wallet_service.rpc.feed import EventFeedServicer

WALLETS, EVENTS_OF_EACH = 40, 25


@pytest.fixture
async def feed_target(books: Books) -> AsyncIterator[str]:
    """Where the books' feed is served."""
    async with serving(EventFeedServicer(books.feed)) as target:
        yield target


async def commit_events(books: Books, wallets: Sequence[int]) -> None:
    """Commit one event for each wallet, over two Wallet processes."""
    ledgers = [books.ledger, books.other_ledger]
    await asyncio.gather(
        *(
            ledgers[number % 2].post(plans.top_up(wallet, 1))
            for number, wallet in enumerate(wallets)
        )
    )


async def until_read_by(books: Books, count: int) -> None:
    """Wait until so many publishers share all of the feed fairly."""

    async def is_shared() -> bool:
        shards = (await books.feed.status()).shards.values()
        return len(shards) == count and sum(shards) == 64 and max(shards) <= -(-64 // count)

    await until(is_shared, f"{count} publishers share the feed")


async def until_empty(books: Books) -> None:
    async def is_empty() -> bool:
        return (await books.feed.status()).backlog.count == 0

    await until(is_empty, "the feed is empty")


async def committed_ids(books: Books, wallets: Sequence[int]) -> dict[str, list[str]]:
    """Answer the event ids of each wallet, in the order of the ledger."""
    committed: dict[str, list[str]] = {}
    async with books.pool.acquire() as conn:
        rows = await conn.fetch(
            "SELECT wallet_id, transaction_id FROM transactions "
            "WHERE wallet_id = ANY($1::bigint[]) ORDER BY transaction_id",
            wallets,
        )
    for wallet_id, transaction_id in rows:
        of_wallet = committed.setdefault(ids.wallet_text(wallet_id), [])
        of_wallet.append(ids.transaction_text(transaction_id))
    return committed


async def test_publishers_that_come_and_go_publish_each_event_once_and_in_order(
    books: Books, servers: EventServers, pubsub: Project, feed_target: str
) -> None:
    """While events are committed, one publisher works, then three, then two others are gone."""
    wallets = [await books.wallet() for _ in range(WALLETS)]
    async with AsyncExitStack() as first, AsyncExitStack() as others:
        settings = [settings_of(servers, pubsub, feed_target) for _ in range(3)]
        await first.enter_async_context(publishing(settings[0]))
        for number in range(EVENTS_OF_EACH):
            await commit_events(books, wallets)
            if number == 5:
                for each in settings[1:]:
                    await others.enter_async_context(publishing(each))
            if number == 10:
                await until_read_by(books, 3)
            if number == 15:
                await first.aclose()
        await until_read_by(books, 2)
        await until_empty(books)
    messages = await pubsub.take(pubsub.topology.events_subscription, WALLETS * EVENTS_OF_EACH)
    messages += await pubsub.pull(pubsub.topology.events_subscription)
    counts = Counter(each.attributes["ce-id"] for each in messages)
    assert set(counts.values()) == {1}
    assert ids_by_wallet(messages) == await committed_ids(books, wallets)
    assert (await books.feed.status()).shards == {}


async def test_a_killed_publishers_events_are_published_by_another_in_order(
    books: Books, servers: EventServers, pubsub: Project, feed_target: str
) -> None:
    """One of two is killed at work: some events may come twice, none is missing or early."""
    wallets = [await books.wallet() for _ in range(WALLETS)]
    environment = {
        **servers.environment,
        "WALLET_TARGET": feed_target,
        "GOOGLE_CLOUD_PROJECT": pubsub.name,
    }
    listen = f"127.0.0.1:{servers.ports.take()}"
    await servers.children.serve(service("doomed", ROLES["publisher"], environment, listen))
    async with publishing(settings_of(servers, pubsub, feed_target)):
        await until_read_by(books, 2)
        for number in range(EVENTS_OF_EACH):
            await commit_events(books, wallets)
            if number == EVENTS_OF_EACH // 2:
                await asyncio.to_thread(servers.children.end, "doomed", signal.SIGKILL)
        await until_empty(books)
    messages = await pubsub.take(pubsub.topology.events_subscription, WALLETS * EVENTS_OF_EACH)
    assert ids_by_wallet(messages) == await committed_ids(books, wallets)
