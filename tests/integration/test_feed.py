"""The feed on a real Postgres: complete, in order, and shared by many."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from privy.wallet.v1 import feed_pb2 as pb

from tests import plans
from tests.acceptance.clients import failure_of
from tests.books import Books
from tests.databases import WalletDatabase
from tests.wallet_calls import TIMEOUT_S, WalletCalls
from wallet_service.store import connections
from wallet_service.store import feed as store

SHARDS = 64


async def run_out(database: WalletDatabase, consumer_id: str) -> None:
    """Let a consumer's lease be over, as if it had been silent for long."""
    async with (
        await connections.open_pool(database.owner_url, 1) as pool,
        pool.acquire() as conn,
    ):
        await conn.execute(
            "UPDATE feed_consumers SET leased_until = now() - interval '1 s' "
            "WHERE consumer_id = $1",
            consumer_id,
        )


async def pull_ids(books: Books, consumer_id: str, wait_s: float = 0) -> list[int]:
    pulled = await books.feed.pull(consumer_id, 100, wait_s)
    return [event.transaction_id for event in pulled.events]


async def shards(books: Books) -> Mapping[str, int]:
    return (await books.feed.status()).shards


async def test_events_are_fed_in_order_until_acknowledged(books: Books) -> None:
    """Each accepted plan with an event is in the feed once, in order, until it is acknowledged."""
    wallet = await books.wallet(100)
    await asyncio.gather(*(books.ledger.post(plans.usage(wallet, 30)) for _ in range(5)))
    ids = await pull_ids(books, "publisher")
    assert len(ids) == 4
    assert ids == sorted(ids)
    await books.feed.acknowledge(ids[:3])
    assert await pull_ids(books, "publisher") == ids[3:]


async def test_an_event_carries_the_trace_of_its_action(books: Books) -> None:
    """The trace context of the call goes through the books to whoever publishes."""
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    wallet = await books.wallet()
    await books.post(replace(plans.top_up(wallet, 1), traceparent=traceparent))
    (event,) = (await books.feed.pull("publisher", 10, 0)).events
    assert event.traceparent == traceparent


async def test_what_did_not_commit_is_not_in_the_feed(
    books: Books, wallet_database: WalletDatabase
) -> None:
    """An event is seen by nobody while its SQL transaction is open, nor after it rolled back."""
    wallet = await books.wallet(100)
    (committed,) = await pull_ids(books, "publisher")
    async with (
        await connections.open_pool(wallet_database.owner_url, 1) as pool,
        pool.acquire() as conn,
    ):
        rolled_back = conn.transaction()
        await rolled_back.start()
        await conn.execute(
            "INSERT INTO transactions SELECT (jsonb_populate_record("
            "t, jsonb_build_object('transaction_id', transaction_id + 1))).* FROM transactions t"
        )
        await conn.execute("INSERT INTO outbox VALUES ($1, $2)", committed + 1, wallet)
        assert len(await conn.fetch("SELECT FROM outbox")) == 2
        assert await pull_ids(books, "publisher") == [committed]
        await rolled_back.rollback()
    assert await pull_ids(books, "publisher") == [committed]


async def test_consumers_share_the_feed(books: Books) -> None:
    """Two consumers have half of the shards each: together every event, and none has both."""
    for _ in range(8):
        await books.wallet(1)
    both = await pull_ids(books, "first")
    assert len(both) == 8
    assert await pull_ids(books, "second") == []  # The first one had all, until now.
    first = await pull_ids(books, "first")
    second = await pull_ids(books, "second")
    assert await shards(books) == {"first": 32, "second": 32}
    assert len(first) == len(second) == 4
    assert sorted(first + second) == both


@pytest.mark.parametrize("count", [3, 5, 70])
async def test_shares_are_fair_once_all_have_pulled(books: Books, count: int) -> None:
    """After two rounds every shard has one consumer, and no consumer more than its share."""
    names = [f"consumer-{number}" for number in range(count)]
    for name in names * 2:
        await books.feed.pull(name, 1, 0)
    counts = await shards(books)
    assert sorted(counts) == sorted(names)
    assert sum(counts.values()) == SHARDS
    assert max(counts.values()) <= -(-SHARDS // count)


async def test_consumers_that_come_at_once_get_each_shard_once(books: Books) -> None:
    """Eight that pull at the same time, thrice, end with eight shards each."""
    names = [f"consumer-{number}" for number in range(8)]
    for _ in range(3):
        await asyncio.gather(*(books.feed.pull(name, 1, 0) for name in names))
    assert await shards(books) == dict.fromkeys(names, 8)


async def test_a_silent_consumer_is_followed_by_another(
    books: Books, wallet_database: WalletDatabase
) -> None:
    """Nobody gets its events while its lease lasts, another one does once it is over."""
    await books.wallet(1)
    ids = await pull_ids(books, "first")
    assert await pull_ids(books, "second") == []
    await run_out(wallet_database, "first")
    assert await pull_ids(books, "second") == ids
    assert await shards(books) == {"second": SHARDS}


async def test_a_consumer_that_wakes_up_shares_again(
    books: Books, wallet_database: WalletDatabase
) -> None:
    """With its lease over and taken from, it begins without shards and gets its share again.

    What it acknowledges of before is off the feed: it tells of what is published.
    """
    await books.wallet(1)
    ids = await pull_ids(books, "first")
    await run_out(wallet_database, "first")
    assert await pull_ids(books, "second") == ids
    assert await pull_ids(books, "first") == []
    await books.feed.acknowledge(ids)
    assert await pull_ids(books, "second") == []
    await books.feed.pull("first", 1, 0)
    assert await shards(books) == {"first": 32, "second": 32}


async def test_a_release_frees_at_once(books: Books) -> None:
    """A consumer that stops leaves its shards, and its events, to one that waits."""
    await books.wallet(1)
    ids = await pull_ids(books, "first")
    waiting = asyncio.create_task(pull_ids(books, "second", wait_s=5))
    await books.feed.release("first")
    assert await waiting == ids
    await books.feed.release("first")
    assert await shards(books) == {"second": SHARDS}


async def test_a_long_backlog_of_others_is_looked_through_to_a_limit(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events behind the oldest so many wait, whoever's those are; they come as those go."""
    hot, other = await books.wallet(), await books.wallet()
    await books.feed.pull("first", 1, 0)
    await books.feed.pull("second", 1, 0)
    await books.feed.pull("first", 1, 0)
    await books.feed.pull("second", 1, 0)
    for wallet in (hot, hot, hot, other):
        await books.post(plans.top_up(wallet, 1))
    by_length = sorted([await pull_ids(books, each) for each in ("first", "second")], key=len)
    assert list(map(len, by_length)) == [1, 3]
    monkeypatch.setattr(store, "MAX_LOOKED_AT", 3)
    assert [len(await pull_ids(books, each)) for each in ("first", "second")].count(0) == 1
    await books.feed.acknowledge(by_length[1][:1])
    assert sorted([await pull_ids(books, each) for each in ("first", "second")], key=len) == [
        by_length[0],
        by_length[1][1:],
    ]


async def test_the_status_tells_what_waits_and_what_was_published(books: Books) -> None:
    """The oldest event's time and how many wait; and those off the feed after a transaction."""
    empty = await books.feed.status(after=0)
    assert (empty.backlog.count, empty.backlog.oldest_recorded_at) == (0, None)
    assert (empty.published_after, empty.shards) == (0, {})
    wallet = await books.wallet()
    written = [await books.post(plans.top_up(wallet, 1)) for _ in range(4)]
    ids = [each.transaction_id for each in written]
    status = await books.feed.status()
    assert status.backlog.count == 4
    assert status.backlog.oldest_recorded_at is not None
    assert abs(status.backlog.oldest_recorded_at - written[0].recorded_at).total_seconds() < 0.1
    assert status.published_after is None
    await books.feed.acknowledge(ids[:3])
    for after, count in ((0, 3), (ids[0], 2), (ids[2], 0)):
        assert (await books.feed.status(after)).published_after == count
    assert (await books.feed.status()).backlog.count == 1


WRONG = [
    ("PullEvents", pb.PullEventsRequest(max_events=1), "consumer_id"),
    ("PullEvents", pb.PullEventsRequest(consumer_id="x" * 65, max_events=1), "consumer_id"),
    ("PullEvents", pb.PullEventsRequest(consumer_id="x"), "max_events"),
    ("PullEvents", pb.PullEventsRequest(consumer_id="x", max_events=1_001), "max_events"),
    (
        "PullEvents",
        pb.PullEventsRequest(consumer_id="x", max_events=1, wait=Duration(seconds=21)),
        "wait",
    ),
    ("AcknowledgeEvents", pb.AcknowledgeEventsRequest(), "consumer_id"),
    (
        "AcknowledgeEvents",
        pb.AcknowledgeEventsRequest(consumer_id="x", transaction_ids=["txn_1"] * 1_001),
        "transaction_ids",
    ),
    ("ReleaseEvents", pb.ReleaseEventsRequest(), "consumer_id"),
    (
        "GetFeedStatus",
        pb.GetFeedStatusRequest(after_transaction_id="wal_1"),
        "after_transaction_id",
    ),
]


async def test_the_feed_is_one_for_all_wallet_processes(
    wallet_processes: Sequence[WalletCalls],
) -> None:
    """Consumers of two processes share it; what is wrong in a request is told by its field."""
    feeds = [each.feed for each in wallet_processes]
    for _ in range(2):
        for number, feed in enumerate(feeds):
            request = pb.PullEventsRequest(consumer_id=f"consumer-{number}", max_events=1)
            assert not (await feed.PullEvents(request, timeout=TIMEOUT_S)).events
    status = await feeds[0].GetFeedStatus(pb.GetFeedStatusRequest(), timeout=TIMEOUT_S)
    shards = {each.consumer_id: each.shard_count for each in status.consumers}
    assert shards == {"consumer-0": 32, "consumer-1": 32}
    assert (status.backlog, status.HasField("oldest_create_time")) == (0, False)
    for method, wrong, field in WRONG:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await getattr(feeds[1], method)(wrong, timeout=TIMEOUT_S)
        failure = failure_of(raised.value)
        assert (failure.code, failure.fields) == (grpc.StatusCode.INVALID_ARGUMENT, (field,))
