"""`EventFeedService`: gRPC in, use case, gRPC out. No decisions."""

from privy.wallet.v1 import feed_pb2, feed_pb2_grpc

from shared.errors import invalid
from shared.fields import checked_text
from wallet_service import ids
from wallet_service.feed import Feed
from wallet_service.rpc.context import Context
from wallet_service.wire import answers, requests
from wallet_service.wire.fields import MAX_REQUEST_ID

MAX_EVENTS = 1000
MAX_WAIT_S = 20.0


class EventFeedServicer(feed_pb2_grpc.EventFeedServiceServicer):
    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def PullEvents(
        self, request: feed_pb2.PullEventsRequest, context: Context
    ) -> feed_pb2.PullEventsResponse:
        consumer_id = checked_text(request.consumer_id, "consumer_id", 1, MAX_REQUEST_ID)
        if not 1 <= request.max_events <= MAX_EVENTS:
            raise invalid("max_events", f"must be 1 to {MAX_EVENTS}")
        wait_s = request.wait.ToNanoseconds() / 1e9
        if not 0 <= wait_s <= MAX_WAIT_S:
            raise invalid("wait", f"must be 0 to {MAX_WAIT_S} s")
        pulled = await self._feed.pull(consumer_id, request.max_events, wait_s)
        return feed_pb2.PullEventsResponse(
            events=[answers.feed_event_out(each) for each in pulled.events],
            backlog=pulled.backlog.count,
            oldest_create_time=answers.timestamp_or_none(pulled.backlog.oldest_recorded_at),
        )

    async def AcknowledgeEvents(
        self, request: feed_pb2.AcknowledgeEventsRequest, context: Context
    ) -> feed_pb2.AcknowledgeEventsResponse:
        checked_text(request.consumer_id, "consumer_id", 1, MAX_REQUEST_ID)
        await self._feed.acknowledge(requests.transaction_ids_of(request.transaction_ids))
        return feed_pb2.AcknowledgeEventsResponse()

    async def ReleaseEvents(
        self, request: feed_pb2.ReleaseEventsRequest, context: Context
    ) -> feed_pb2.ReleaseEventsResponse:
        await self._feed.release(
            checked_text(request.consumer_id, "consumer_id", 1, MAX_REQUEST_ID)
        )
        return feed_pb2.ReleaseEventsResponse()

    async def GetFeedStatus(
        self, request: feed_pb2.GetFeedStatusRequest, context: Context
    ) -> feed_pb2.GetFeedStatusResponse:
        after = request.after_transaction_id
        asked = request.HasField("after_transaction_id")
        status = await self._feed.status(_number_of(after) if asked else None)
        return answers.feed_status_out(status)


def _number_of(transaction_id: str) -> int:
    """Read a transaction's id; empty stands before all of them."""
    number = ids.transaction_number(transaction_id) if transaction_id else 0
    if number == ids.NEVER_ASSIGNED:
        raise invalid("after_transaction_id", "must be a transaction's id, or empty")
    return number
