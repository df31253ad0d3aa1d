"""Events as the books keep them: listed without a gap, and put back on the feed."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from privy.wallet.v1 import event_log_pb2 as pb

from tests import plans
from tests.acceptance.clients import failure_of
from tests.books import Books
from tests.wallet_calls import TIMEOUT_S, WalletCalls
from wallet_service import ids

INSERT_EVENT = """
INSERT INTO transactions (
    transaction_id, kind, wallet_id, request_id, reference, metadata, price_book_version, charges,
    event, traceparent, effective_at, recorded_at
)
VALUES ($1, 'TOP_UP', 1, 'late', '', '{}', '', '[]', 'event', '', $2, $2)
"""


async def listed(books: Books, page_size: int = 1000) -> list[int]:
    """Answer the ids of all events, page by page."""
    await asyncio.sleep(0.001)  # Events of this millisecond are not listed yet.
    written = await books.events.written(None, None)
    after, found = written.start - 1, list[int]()
    while True:
        page = await books.events.page(after, written.end, page_size)
        found += [each.event.transaction_id for each in page.events]
        if page.last_id is None:
            return found
        after = page.last_id


async def fed(books: Books) -> list[int]:
    """Answer the ids of the events in the feed, in its order."""
    return [each.transaction_id for each in (await books.feed.pull("publisher", 1000, 0)).events]


async def test_published_events_are_listed_with_their_entries(books: Books) -> None:
    """Published or not, an event is listed as the feed has it, and says whether it is there."""
    wallet = await books.wallet(100)
    await books.post(plans.usage(wallet, 30))
    (first, second) = (await books.feed.pull("publisher", 10, 0)).events
    await books.feed.acknowledge([first.transaction_id])
    found = await books.events.some([second.transaction_id, first.transaction_id, 7])
    assert [(each.event, each.in_feed, each.kind) for each in found] == [
        (first, False, "TOP_UP"),
        (second, True, "USAGE"),
    ]
    assert await listed(books) == [first.transaction_id, second.transaction_id]


@pytest.mark.parametrize("page_size", [1, 2, 3, 1000])
async def test_pages_hold_every_event_once_in_order(books: Books, page_size: int) -> None:
    """Whatever the size, and though bookings between them have no event of their own."""
    wallet = await books.wallet(100)
    for _ in range(3):
        await books.post(plans.booking(wallet, 1))
        await books.post(plans.usage(wallet, 1))
    events = await fed(books)
    assert len(events) == 4
    assert await listed(books, page_size) == sorted(events)


async def test_what_is_being_written_is_waited_for(books: Books) -> None:
    """An event whose time has come and whose commit has not is in the list; later ones are not."""
    earlier = datetime.now(UTC) - timedelta(seconds=1)
    late = ids.first_id_from(earlier)
    async with books.pool.acquire() as conn, conn.transaction():
        await conn.execute(INSERT_EVENT, late, earlier)
        listing = asyncio.create_task(listed(books))
        await asyncio.wait([listing], timeout=0.2)
        assert not listing.done()
        await books.wallet(100)
    assert await listing == [late]


async def test_a_range_is_of_record_time(books: Books) -> None:
    """From the first millisecond inclusive to the last exclusive, and never beyond now."""
    wallet = await books.wallet(100)
    transaction = await books.post(plans.usage(wallet, 1))
    at = ids.recorded_at(transaction.transaction_id)
    millisecond = timedelta(milliseconds=1)
    await asyncio.sleep(0.002)
    for start, end, expected in (
        (at, at + millisecond, True),
        (at - millisecond, at, False),
        (at + millisecond, None, False),
        (at, at + timedelta(days=1), True),
    ):
        written = await books.events.written(start, end)
        assert (transaction.transaction_id in range(written.start, written.end)) is expected
    assert ids.recorded_at(written.end) <= datetime.now(UTC)


async def test_republished_events_are_in_the_feed_once(books: Books) -> None:
    """Twice, at once, and while they still wait there; what has no event is passed over."""
    wallet = await books.wallet(100)
    booked = await books.post(plans.booking(wallet, 1))
    usage = await books.post(plans.usage(wallet, 1))
    events = await fed(books)
    await books.feed.acknowledge(events[:1])
    wanted = [*events, booked.transaction_id, 7, ids.NEVER_ASSIGNED]
    added = await asyncio.gather(*(books.events.republish(wanted) for _ in range(3)))
    assert sorted(added) == [0, 0, 1]
    assert await fed(books) == events
    assert events[-1] == usage.transaction_id


async def test_the_calls_list_get_and_republish(
    wallet_processes: Sequence[WalletCalls], books: Books
) -> None:
    """Over gRPC: page by page, some by their ids, and back on the feed."""
    caller = wallet_processes[0]
    for _ in range(3):
        await books.wallet(100)
    await asyncio.sleep(0.002)
    written = [ids.transaction_text(each) for each in await fed(books)]
    request, found = pb.ListEventsRequest(page_size=2), list[str]()
    for _ in range(2):
        page = await caller.events.ListEvents(request, timeout=TIMEOUT_S)
        found += [each.event.transaction_id for each in page.events]
        request.page_token = page.next_page_token
    assert (found, page.next_page_token) == (written, "")
    assert int(page.start_transaction_id[4:]) <= int(written[0][4:])
    assert int(page.end_transaction_id[4:]) > int(written[-1][4:])
    some = pb.BatchGetEventsRequest(transaction_ids=[written[1], "txn_7", "nonsense"])
    answer = await caller.events.BatchGetEvents(some, timeout=TIMEOUT_S)
    assert [each.event.transaction_id for each in answer.events] == [written[1]]
    again = pb.RepublishEventsRequest(transaction_ids=written)
    assert (await caller.events.RepublishEvents(again, timeout=TIMEOUT_S)).republished == 0


async def test_bad_fields_are_named(wallet_processes: Sequence[WalletCalls], books: Books) -> None:
    """A range that ends before it starts, another query's token, and too many ids."""
    caller = wallet_processes[0]
    await books.wallet(100)
    await books.wallet(100)
    await asyncio.sleep(0.002)
    token = (await caller.events.ListEvents(pb.ListEventsRequest(page_size=1))).next_page_token
    backwards = pb.ListEventsRequest()
    backwards.start_time.FromSeconds(2)
    backwards.end_time.FromSeconds(2)
    foreign = pb.ListEventsRequest(page_token=token)
    foreign.start_time.FromSeconds(1)
    many = ["txn_1"] * 1001
    for call, field in (
        (caller.events.ListEvents(backwards), "end_time"),
        (caller.events.ListEvents(foreign), "page_token"),
        (caller.events.ListEvents(pb.ListEventsRequest(page_size=-1)), "page_size"),
        (
            caller.events.BatchGetEvents(pb.BatchGetEventsRequest(transaction_ids=many)),
            "transaction_ids",
        ),
        (
            caller.events.RepublishEvents(pb.RepublishEventsRequest(transaction_ids=many)),
            "transaction_ids",
        ),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call
        assert failure_of(raised.value).fields == (field,)
