"""The edge of every gRPC server of ours: calls in, errors out, health, graceful stop."""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from shared.errors import (
    DomainError,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    ResourceExhausted,
    Unavailable,
    invalid,
)
from shared.telemetry import Metrics, Tracing, current_traceparent

ERROR_DOMAIN = "transaction-wallet"
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
DRAIN_S = 10.0
REFUSING_S = 0.5

Probe = Callable[[], Awaitable[object]]
STATUS_CODES: Mapping[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

_log = structlog.get_logger()


class Edge(grpc.aio.ServerInterceptor):
    """Surrounds each call of one request: trace context, decoding, error mapping, one log line."""

    def __init__(self, tracing: Tracing, metrics: Metrics) -> None:
        self._tracing = tracing
        self._metrics = metrics
        self._stopping = False

    def refuse_new_calls(self) -> None:
        """Answer every call from now on UNAVAILABLE; those under way go on."""
        self._stopping = True

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None:
            return None
        # Decoded within, where a failure can be answered well.
        undecoded = {
            "request_deserializer": None,
            "response_serializer": handler.response_serializer,
        }
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(self._unary(method, handler), **undecoded)
        if handler.unary_stream and not method.startswith("/grpc."):
            return grpc.unary_stream_rpc_method_handler(self._stream(method, handler), **undecoded)
        return handler

    def _unary(self, method: str, handler: Any) -> Callable[..., Awaitable[Any]]:
        async def call(body: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            async with self._surround(method, context) as seen:
                request = seen.decoded(handler.request_deserializer, body)
                return await handler.unary_unary(request, context)

        return call

    def _stream(self, method: str, handler: Any) -> Callable[..., AsyncIterator[Any]]:
        async def call(
            body: bytes, context: grpc.aio.ServicerContext[Any, Any]
        ) -> AsyncIterator[Any]:
            async with self._surround(method, context) as seen:
                request = seen.decoded(handler.request_deserializer, body)
                async for answer in handler.unary_stream(request, context):
                    self._admit()  # Or a long stream would outlast the stopping process.
                    yield answer

        return call

    @asynccontextmanager
    async def _surround(
        self, method: str, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator["_Seen"]:
        started = time.perf_counter()
        error, seen = None, _Seen()
        name = method.rpartition("/")[2]
        with self._tracing.span(name, _traceparent_of(context)) as traceparent:
            current_traceparent.set(traceparent)
            try:
                self._admit()
                yield seen
            except DomainError as refusal:
                error = refusal
            except Exception:  # noqa: BLE001 (the edge answers for everything)
                error = _unforeseen(name)
            self._record(method, seen.request_id, error, started)
        if error is not None:
            await _abort(context, error)

    def _admit(self) -> None:
        if self._stopping:
            raise Unavailable("SHUTTING_DOWN", "this process stops: call again, or another one")

    def _record(
        self, method: str, request_id: str, error: DomainError | None, started: float
    ) -> None:
        if method.startswith("/grpc."):
            return
        name = method.rpartition("/")[2]
        verdict = error.reason if error else "OK"
        duration_ms = (time.perf_counter() - started) * 1000
        self._metrics.increment("actions", tags=[f"method:{name}", f"verdict:{verdict}"])
        self._metrics.histogram("action_ms", duration_ms, tags=[f"method:{name}"])
        _log.info(
            "action",
            method=name,
            verdict=verdict,
            request_id=request_id,
            duration_ms=round(duration_ms, 2),
            traceparent=current_traceparent.get(),
        )


def _unforeseen(method: str) -> Internal:
    error_id = uuid.uuid4().hex
    _log.exception("unforeseen error", method=method, error_id=error_id)
    return Internal("INTERNAL", f"internal error {error_id}", {"error_id": error_id})


class _Seen:
    """What the edge has seen of a call's request."""

    request_id = ""

    def decoded(self, decode: Callable[[bytes], Any] | None, body: bytes) -> Any:
        try:
            request = decode(body) if decode else body
        except DecodeError:
            raise invalid("request", "is not a valid message of this call") from None
        self.request_id = getattr(request, "request_id", "")
        return request


def _traceparent_of(context: grpc.aio.ServicerContext[Any, Any]) -> str:
    """Read the caller's trace context; what is none is passed over, as W3C's standard says."""
    for key, value in context.invocation_metadata() or ():
        if key == "traceparent" and isinstance(value, str) and _TRACEPARENT.fullmatch(value):
            return value
    return ""


async def _abort(context: grpc.aio.ServicerContext[Any, Any], error: DomainError) -> NoReturn:
    status = status_pb2.Status(
        code=error.code, message=error.message, details=[_packed(each) for each in _details(error)]
    )
    await context.abort(
        STATUS_CODES[error.code],
        error.message,
        (("grpc-status-details-bin", status.SerializeToString()),),
    )


def _packed(message: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed


def _details(error: DomainError) -> list[Message]:
    details: list[Message] = [
        error_details_pb2.ErrorInfo(
            reason=error.reason, domain=ERROR_DOMAIN, metadata=error.metadata
        )
    ]
    if isinstance(error, InvalidArgument):
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=each.field, description=each.description, reason=error.reason
                    )
                    for each in error.violations
                ]
            )
        )
    if isinstance(error, FailedPrecondition):
        violation = error_details_pb2.PreconditionFailure.Violation(
            type=error.reason, description=error.message
        )
        details.append(error_details_pb2.PreconditionFailure(violations=[violation]))
    if isinstance(error, ResourceExhausted | Unavailable):
        delay = Duration()
        delay.FromNanoseconds(int(error.retry_after_s * 1e9))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    return details


class Health:
    """Keeps the standard health service true, for the whole process and each dependency.

    `HealthCheckRequest.service` takes a dependency's name (`postgres`), a gRPC service's full
    name, or nothing for the process as a whole, which serves while every dependency in
    `required` does.
    """

    INTERVAL_S = 2.0
    STARTING_INTERVAL_S = 0.2
    PROBE_TIMEOUT_S = 2.0

    def __init__(self, probes: Mapping[str, Probe], required: Sequence[str]) -> None:
        self.servicer = health.aio.HealthServicer()
        self._probes = probes
        self._required = required

    async def watch(self, service_names: Sequence[str]) -> None:
        """Probe until cancelled; often, until everything required answered for the first time."""
        interval_s = self.STARTING_INTERVAL_S
        while True:
            if await self.check_once(service_names):
                interval_s = self.INTERVAL_S
            await asyncio.sleep(interval_s)

    async def check_once(self, service_names: Sequence[str]) -> bool:
        """Probe everything, tell who asks, and answer whether the process serves."""
        alive = dict(
            zip(
                self._probes,
                await asyncio.gather(*map(self._answers, self._probes.values())),
                strict=True,
            )
        )
        for name, answers in alive.items():
            await self.servicer.set(name, _serving(answers))
        whole = all(alive[name] for name in self._required)
        for name in ("", *service_names):
            await self.servicer.set(name, _serving(whole))
        return whole

    async def _answers(self, probe: Probe) -> bool:
        try:
            async with asyncio.timeout(self.PROBE_TIMEOUT_S):
                await probe()
        except Exception as error:  # noqa: BLE001 (any failure means: does not serve)
            _log.warning("dependency does not answer", error=repr(error))
            return False
        return True


def _serving(answers: bool) -> health_pb2.HealthCheckResponse.ServingStatus:  # noqa: FBT001
    status = health_pb2.HealthCheckResponse
    return status.SERVING if answers else status.NOT_SERVING


@dataclass(frozen=True, slots=True)
class Services:
    """The gRPC services of a process: their full names, and what adds them to a server."""

    names: tuple[str, ...] = ()
    register: Callable[[grpc.aio.Server], None] = lambda _: None


async def serve(
    listen: str, services: Services, health_of: Health, edge: Edge, stop: asyncio.Event
) -> None:
    """Serve on `listen` (`host:port`) until `stop` is set, then drain.

    Draining: health says NOT_SERVING first; then, for a moment, calls that had been sent before
    their callers could know are refused as UNAVAILABLE, which a closing server would cancel; and
    those under way have 10 s to end.
    """
    server = grpc.aio.server(
        interceptors=[edge],
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.so_reuseport", 0),  # Two processes on one port are a mistake.
        ],
    )
    services.register(server)
    health_pb2_grpc.add_HealthServicer_to_server(health_of.servicer, server)
    reflection.enable_server_reflection(
        (*services.names, health.SERVICE_NAME, reflection.SERVICE_NAME), server
    )
    server.add_insecure_port(listen)
    await health_of.check_once(services.names)  # Or it would say SERVING before it knows.
    await server.start()
    watching = asyncio.create_task(health_of.watch(services.names))
    _log.info("serving", listen=listen, services=services.names)
    try:
        await stop.wait()
    finally:
        watching.cancel()
        await health_of.servicer.enter_graceful_shutdown()
        edge.refuse_new_calls()
        await asyncio.sleep(REFUSING_S)
        await server.stop(DRAIN_S)
        _log.info("stopped", listen=listen)
