"""`EventLogService`: gRPC in, use case, gRPC out. No decisions."""

from privy.wallet.v1 import event_log_pb2, event_log_pb2_grpc

from shared.errors import invalid
from shared.fields import moment_of
from shared.paging import PageTokens, page_size
from wallet_service import ids
from wallet_service.events import Events
from wallet_service.rpc.context import Context, query_of
from wallet_service.wire import answers, requests


class EventLogServicer(event_log_pb2_grpc.EventLogServiceServicer):
    def __init__(self, events: Events, tokens: PageTokens) -> None:
        self._events = events
        self._tokens = tokens

    async def ListEvents(
        self, request: event_log_pb2.ListEventsRequest, context: Context
    ) -> event_log_pb2.ListEventsResponse:
        size, query = page_size(request.page_size), query_of(request)
        start, after, end = self._tokens.place(query, request.page_token) or await self._first(
            request
        )
        page = await self._events.page(after, end, size)
        last = [start, page.last_id, end] if page.last_id is not None else []
        return event_log_pb2.ListEventsResponse(
            events=[answers.recorded_event_out(each) for each in page.events],
            next_page_token=self._tokens.next_token(query, last),
            start_transaction_id=ids.transaction_text(start),
            end_transaction_id=ids.transaction_text(end),
        )

    async def _first(self, request: event_log_pb2.ListEventsRequest) -> tuple[int, int, int]:
        """Answer where the range starts, the id after which its first page does, and its end."""
        start, end = moment_of(request, "start_time"), moment_of(request, "end_time")
        if start and end and start >= end:
            raise invalid("end_time", "must be after start_time")
        written = await self._events.written(start, end)
        return written.start, written.start - 1, written.end

    async def BatchGetEvents(
        self, request: event_log_pb2.BatchGetEventsRequest, context: Context
    ) -> event_log_pb2.BatchGetEventsResponse:
        found = await self._events.some(requests.transaction_ids_of(request.transaction_ids))
        return event_log_pb2.BatchGetEventsResponse(
            events=[answers.recorded_event_out(each) for each in found]
        )

    async def RepublishEvents(
        self, request: event_log_pb2.RepublishEventsRequest, context: Context
    ) -> event_log_pb2.RepublishEventsResponse:
        republished = await self._events.republish(
            requests.transaction_ids_of(request.transaction_ids)
        )
        return event_log_pb2.RepublishEventsResponse(republished=republished)
