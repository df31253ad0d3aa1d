"""The edge on both engines, over a real connection: what callers meet is the same on each."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from privy.transaction.v1 import transaction_pb2 as pb
from privy.transaction.v1 import transaction_pb2_grpc
from privy.wallet.v1 import ledger_pb2, ledger_pb2_grpc

from devstack.ports import Ports
from shared.errors import (
    Aborted,
    AlreadyExists,
    DomainError,
    FailedPrecondition,
    FieldViolation,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from shared.health import Health
from shared.rpc_admission import Admission
from shared.rpc_edge import Edge
from shared.rpc_server import MAX_MESSAGE_BYTES, Services, serve
from shared.rpc_settings import Engine
from shared.telemetry import NoMetrics, PassOnTracing, current_traceparent

TIMEOUT_S = 10
TOP_UP = "/privy.transaction.v1.TransactionService/TopUp"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Stream: TypeAlias = (
    "grpc.aio.UnaryStreamCall[ledger_pb2.VerifyLedgerRequest, ledger_pb2.VerifyLedgerResponse]"
)
Behaviour = Callable[[pb.TopUpRequest], Awaitable[pb.TopUpResponse]]


async def answer_empty(_: pb.TopUpRequest) -> pb.TopUpResponse:
    return pb.TopUpResponse()


class Front(transaction_pb2_grpc.TransactionServiceServicer):
    """Behaves as a test says."""

    behave: Behaviour = staticmethod(answer_empty)

    async def TopUp(  # noqa: N802 (the proto names it)
        self,
        request: pb.TopUpRequest,
        context: Context,  # noqa: ARG002 (the same)
    ) -> pb.TopUpResponse:
        return await self.behave(request)


class Books(ledger_pb2_grpc.LedgerServiceServicer):
    """Streams as many and as large answers as a test says, then raises what it says."""

    def __init__(self) -> None:
        self.count = 0
        self.size = 1
        self.sent = 0
        self.then: Exception | None = None
        self.closed = asyncio.Event()

    async def VerifyLedger(  # noqa: N802 (the proto names it)
        self,
        request: ledger_pb2.VerifyLedgerRequest,  # noqa: ARG002 (the same)
        context: Context,  # noqa: ARG002 (the same)
    ) -> AsyncIterator[ledger_pb2.VerifyLedgerResponse]:
        try:
            for _ in range(self.count):
                self.sent += 1
                progress = ledger_pb2.VerifyProgress(stage="x" * self.size)
                yield ledger_pb2.VerifyLedgerResponse(progress=progress)
            if self.then is not None:
                raise self.then
        finally:
            self.closed.set()


@dataclass
class Served:
    """A server under test, and its caller's channel."""

    channel: grpc.aio.Channel
    front: Front
    books: Books
    stop: asyncio.Event
    serving: "asyncio.Task[None]"
    target: str

    async def top_up(self, **options: Any) -> pb.TopUpResponse:
        stub = transaction_pb2_grpc.TransactionServiceStub(self.channel)
        request = pb.TopUpRequest(request_id="r-1")
        return await stub.TopUp(request, **{"timeout": TIMEOUT_S} | options)

    def verify(self) -> Stream:
        stub = ledger_pb2_grpc.LedgerServiceStub(self.channel)
        return stub.VerifyLedger(ledger_pb2.VerifyLedgerRequest(), timeout=TIMEOUT_S)

    async def call(self, method: str, body: bytes) -> bytes:
        """Send bytes as they are."""
        raw: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self.channel.unary_unary(method)
        return await raw(body, timeout=TIMEOUT_S)

    async def refuses(self) -> bool:
        """Say whether it has begun to refuse calls."""
        try:
            await self.health()
        except grpc.aio.AioRpcError:
            return True
        return False

    async def health(self) -> int:
        request = health_pb2.HealthCheckRequest()
        answer = await health_pb2_grpc.HealthStub(self.channel).Check(request, timeout=TIMEOUT_S)
        return int(answer.status)


@pytest.fixture(params=["grpcio", "native"])
def engine(request: pytest.FixtureRequest) -> Engine:
    chosen: Engine = request.param
    return chosen


@asynccontextmanager
async def served(engine: Engine, admission: Admission | None = None) -> AsyncIterator[Served]:
    # Calls that no test makes are left out.
    front, books = Front(), Books()  # type: ignore[abstract]
    stop = asyncio.Event()

    def register(server: grpc.aio.Server) -> None:
        transaction_pb2_grpc.add_TransactionServiceServicer_to_server(front, server)
        ledger_pb2_grpc.add_LedgerServiceServicer_to_server(books, server)

    async def probe() -> None:
        await asyncio.sleep(0)

    target = f"127.0.0.1:{Ports().take()}"
    edge = Edge(PassOnTracing(), NoMetrics(), admission)
    health = Health({"books": probe}, required=["books"])
    serving = asyncio.create_task(
        serve(
            target,
            Services(("privy.transaction.v1.TransactionService",), register),
            health,
            edge,
            stop,
            engine=engine,
        )
    )
    options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
    async with grpc.aio.insecure_channel(target, options=options) as channel:
        running = Served(channel, front, books, stop, serving, target)
        await asyncio.wait_for(channel.channel_ready(), TIMEOUT_S)
        try:
            yield running
        finally:
            stop.set()
            await serving


def details_of(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    """Unpack the details of a failed call, by their message's name."""
    status = status_pb2.Status()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status.ParseFromString(value)
    found = {}
    for packed in status.details:
        detail = getattr(error_details_pb2, packed.TypeName().rpartition(".")[2])()
        packed.Unpack(detail)
        found[packed.TypeName().rpartition(".")[2]] = detail
    return found


async def failure(call: Awaitable[object]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value


ERRORS: Sequence[tuple[DomainError, grpc.StatusCode, set[str]]] = [
    (
        InvalidArgument("FIELD_INVALID", FieldViolation("amount", "is required")),
        grpc.StatusCode.INVALID_ARGUMENT,
        {"ErrorInfo", "BadRequest"},
    ),
    (NotFound("GONE", "it is gone", {"id": "x"}), grpc.StatusCode.NOT_FOUND, {"ErrorInfo"}),
    (AlreadyExists("TAKEN", "it is there"), grpc.StatusCode.ALREADY_EXISTS, {"ErrorInfo"}),
    (
        FailedPrecondition("NO", "zwölf % \n not so"),
        grpc.StatusCode.FAILED_PRECONDITION,
        {"ErrorInfo", "PreconditionFailure"},
    ),
    (Aborted("STALE", "read again"), grpc.StatusCode.ABORTED, {"ErrorInfo"}),
    (
        ResourceExhausted("OVERLOADED", "too much"),
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        {"ErrorInfo", "RetryInfo"},
    ),
    (Unavailable("AWAY", "away"), grpc.StatusCode.UNAVAILABLE, {"ErrorInfo", "RetryInfo"}),
]


async def test_each_error_arrives_with_its_code_its_words_and_its_details(engine: Engine) -> None:
    """One ErrorInfo for every kind of refusal, and what its kind adds."""
    async with served(engine) as server:
        for error, code, kinds in ERRORS:

            async def refuse(_: pb.TopUpRequest, error: DomainError = error) -> pb.TopUpResponse:
                raise error

            server.front.behave = refuse
            raised = await failure(server.top_up())
            found = details_of(raised)
            assert (raised.code(), raised.details()) == (code, error.message)
            assert set(found) == kinds
            assert (found["ErrorInfo"].reason, found["ErrorInfo"].domain) == (
                error.reason,
                "transaction-wallet",
            )
            assert dict(found["ErrorInfo"].metadata) == error.metadata


async def test_nothing_of_an_unforeseen_error_leaks(engine: Engine) -> None:
    """INTERNAL with an id instead of what was raised."""
    async with served(engine) as server:

        async def fail(_: pb.TopUpRequest) -> pb.TopUpResponse:
            raise RuntimeError("a secret")

        server.front.behave = fail
        raised = await failure(server.top_up())
        assert raised.code() is grpc.StatusCode.INTERNAL
        assert raised.details() == f"internal error {_error_id(raised)}"


def _error_id(error: grpc.aio.AioRpcError) -> str:
    return str(details_of(error)["ErrorInfo"].metadata["error_id"])


async def test_undecodable_bytes_are_the_callers_fault(engine: Engine) -> None:
    """INVALID_ARGUMENT names the request; so it is where a standard service is called."""
    async with served(engine) as server:
        for method in (TOP_UP, "/grpc.health.v1.Health/Check"):
            raised = await failure(server.call(method, b"\xff\xff\xff"))
            assert raised.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert details_of(raised)["BadRequest"].field_violations[0].field == "request"


async def test_an_unknown_call_is_unimplemented(engine: Engine) -> None:
    """Neither a service nor a method that is not served is anything else."""
    async with served(engine) as server:
        for method in (f"{TOP_UP}s", "/nobody.v1.Service/Call"):
            raised = await failure(server.call(method, b""))
            assert raised.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_the_callers_trace_context_is_passed_on_or_a_new_one_made(engine: Engine) -> None:
    """What is no trace context is passed over."""
    seen = []

    async def note(_: pb.TopUpRequest) -> pb.TopUpResponse:
        seen.append(current_traceparent.get())
        return pb.TopUpResponse()

    async with served(engine) as server:
        server.front.behave = note
        for given in (TRACEPARENT, "x" * 500):
            await server.top_up(metadata=(("traceparent", given),))
        await server.top_up()
    assert seen[0] == TRACEPARENT
    assert all(len(each) == len(TRACEPARENT) for each in seen)
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("by", ["deadline", "caller"])
async def test_who_is_awaited_no_longer_is_cancelled(engine: Engine, by: str) -> None:
    """When the deadline passes or the caller leaves, its handler ends, and makes room."""
    entered, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(_: pb.TopUpRequest) -> pb.TopUpResponse:
        entered.set()
        try:
            return await asyncio.Future()
        finally:
            cancelled.set()

    async with served(engine, Admission(max_calls=1)) as server:
        server.front.behave = wait
        call = asyncio.create_task(server.top_up(timeout=0.3 if by == "deadline" else TIMEOUT_S))
        await asyncio.wait_for(entered.wait(), TIMEOUT_S)
        if by == "caller":
            call.cancel()
        else:
            assert (await failure(call)).code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await asyncio.wait_for(cancelled.wait(), TIMEOUT_S)
        server.front.behave = answer_empty
        await server.top_up()


async def test_messages_are_limited(engine: Engine) -> None:
    """15 MiB are taken; more than 16 MiB are refused, and the connection goes on."""
    async with served(engine) as server:
        fitting, too_large = (
            pb.TopUpRequest(reference="x" * size * 2**20).SerializeToString() for size in (15, 17)
        )
        await server.call(TOP_UP, fitting)
        raised = await failure(server.call(TOP_UP, too_large))
        assert raised.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await server.top_up()


async def test_calls_beyond_the_limit_are_turned_away_at_once(engine: Engine) -> None:
    """Those under way go on; who comes hears when to come again; health answers as ever."""
    gate = asyncio.Event()

    async def wait(_: pb.TopUpRequest) -> pb.TopUpResponse:
        await gate.wait()
        return pb.TopUpResponse()

    async with served(engine, Admission(max_calls=3)) as server:
        server.front.behave = wait
        calls = [asyncio.create_task(server.top_up()) for _ in range(20)]
        turned_away, under_way = set[asyncio.Task[pb.TopUpResponse]](), set(calls)
        while len(turned_away) < 17:
            done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            turned_away |= done
        assert await server.health() == health_pb2.HealthCheckResponse.SERVING
        gate.set()
        for each in turned_away:
            raised = await failure(each)
            assert raised.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert details_of(raised)["ErrorInfo"].reason == "OVERLOADED"
            assert details_of(raised)["RetryInfo"].retry_delay.seconds == 1
        assert await asyncio.gather(*under_way) == [pb.TopUpResponse()] * 3
        await server.top_up()


class Entrances(Admission):
    """Counts the calls that come as far as the edge."""

    count = 0

    def enter(self, size: int) -> DomainError | None:
        self.count += 1
        return super().enter(size)


async def test_the_native_engine_turns_calls_away_before_the_edge() -> None:
    """Of either kind; gRPC's own services are not asked to wait."""
    gate, entered = asyncio.Event(), asyncio.Event()

    async def wait(_: pb.TopUpRequest) -> pb.TopUpResponse:
        entered.set()
        await gate.wait()
        return pb.TopUpResponse()

    admission = Entrances(max_calls=1)
    async with served("native", admission) as server:
        server.front.behave = wait
        first = asyncio.create_task(server.top_up())
        await asyncio.wait_for(entered.wait(), TIMEOUT_S)
        for refused in (server.top_up(), server.verify().read()):
            assert (await failure(refused)).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await server.health() == health_pb2.HealthCheckResponse.SERVING
        assert admission.count == 1
        gate.set()
        await first


async def test_requests_are_limited_in_size_together(engine: Engine) -> None:
    """A large request alone is taken; a second one beside it is not, however few they are."""
    gate, entered = asyncio.Event(), asyncio.Event()

    async def wait(_: pb.TopUpRequest) -> pb.TopUpResponse:
        entered.set()
        await gate.wait()
        return pb.TopUpResponse()

    async with served(engine, Admission(max_bytes=1)) as server:
        server.front.behave = wait
        first = asyncio.create_task(server.top_up())
        await asyncio.wait_for(entered.wait(), TIMEOUT_S)
        assert (await failure(server.top_up())).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        gate.set()
        await first


async def test_a_stream_arrives_in_order_and_tells_how_it_ended(engine: Engine) -> None:
    """All answers first, then the error with its details."""
    async with served(engine) as server:
        server.books.count = 1000
        assert len([each async for each in server.verify()]) == 1000
        server.books.then = NotFound("GONE", "it is gone")
        answers = aiter(server.verify())
        for _ in range(1000):
            await anext(answers)
        raised = await failure(anext(answers))
        assert raised.code() is grpc.StatusCode.NOT_FOUND
        assert details_of(raised)["ErrorInfo"].reason == "GONE"


async def test_a_stream_that_nobody_reads_waits_and_one_that_is_left_ends(engine: Engine) -> None:
    """The server holds what a connection takes, not all there is; the handler is closed."""
    async with served(engine, Admission(max_calls=1)) as server:
        server.books.count, server.books.size = 10_000, 100_000
        call = server.verify()
        await anext(aiter(call))
        sent = -1
        async with asyncio.timeout(TIMEOUT_S):
            while sent != server.books.sent:  # Until it stands still.
                sent = server.books.sent
                await asyncio.sleep(0.3)
        assert sent < server.books.count
        call.cancel()
        await asyncio.wait_for(server.books.closed.wait(), TIMEOUT_S)
        await server.top_up()


async def test_health_is_watched(engine: Engine) -> None:
    """Who watches hears of the stop before the server is gone."""
    status = health_pb2.HealthCheckResponse
    async with served(engine) as server:
        stub = health_pb2_grpc.HealthStub(server.channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
        heard = aiter(watch)
        assert (await anext(heard)).status == status.SERVING
        server.stop.set()
        assert (await anext(heard)).status == status.NOT_SERVING
        watch.cancel()


async def test_a_stop_finishes_what_is_under_way_and_refuses_what_comes(engine: Engine) -> None:
    """New calls are UNAVAILABLE with advice to retry; those begun before are answered."""
    gate, entered = asyncio.Event(), asyncio.Event()

    async def wait(_: pb.TopUpRequest) -> pb.TopUpResponse:
        entered.set()
        await gate.wait()
        return pb.TopUpResponse()

    async with served(engine) as server:
        server.front.behave = wait
        begun = asyncio.create_task(server.top_up())
        await asyncio.wait_for(entered.wait(), TIMEOUT_S)
        server.stop.set()
        while not await server.refuses():  # noqa: ASYNC110 (a call is what tells)
            await asyncio.sleep(0.01)
        raised = await failure(server.top_up())
        assert raised.code() is grpc.StatusCode.UNAVAILABLE
        assert details_of(raised)["ErrorInfo"].reason == "SHUTTING_DOWN"
        gate.set()
        assert await begun == pb.TopUpResponse()


async def test_reflection_lists_the_services(engine: Engine) -> None:
    """A generic client can find out what is served."""
    async with served(engine) as server:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        stub = reflection_pb2_grpc.ServerReflectionStub(server.channel)
        async for answer in stub.ServerReflectionInfo(iter([request]), timeout=TIMEOUT_S):
            names = {each.name for each in answer.list_services_response.service}
    assert {"privy.transaction.v1.TransactionService", "grpc.health.v1.Health"} <= names


async def test_two_servers_do_not_share_a_port(engine: Engine) -> None:
    """The second one fails at once."""
    async with served(engine) as server:
        health = Health({}, required=[])
        with pytest.raises(RuntimeError, match="bind"):
            await serve(
                server.target,
                Services(),
                health,
                Edge(PassOnTracing(), NoMetrics()),
                asyncio.Event(),
                engine=engine,
            )
