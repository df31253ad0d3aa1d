"""Calls to other gRPC servers: every one has a deadline and carries the trace context."""

from collections.abc import Callable
from typing import Any, Protocol

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from shared.errors import (
    Aborted,
    AlreadyExists,
    DomainError,
    FailedPrecondition,
    FieldViolation,
    Internal,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from shared.rpc_server import MAX_MESSAGE_BYTES
from shared.telemetry import current_traceparent


class Outbound(grpc.aio.UnaryUnaryClientInterceptor):
    """Gives a call without a deadline the default one, and passes the trace context on."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    async def intercept_unary_unary(
        self,
        continuation: Callable[..., Any],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        metadata = client_call_details.metadata or grpc.aio.Metadata()
        if traceparent := current_traceparent.get():
            metadata["traceparent"] = traceparent
        details = grpc.aio.ClientCallDetails(
            method=client_call_details.method,
            timeout=client_call_details.timeout or self._timeout_s,
            metadata=metadata,
            credentials=client_call_details.credentials,
            wait_for_ready=client_call_details.wait_for_ready,
        )
        return await continuation(details, request)


def open_channel(target: str, timeout_s: float) -> grpc.aio.Channel:
    """Open a channel whose calls end after `timeout_s` unless they say otherwise."""
    return grpc.aio.insecure_channel(
        target,
        interceptors=[Outbound(timeout_s)],
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.enable_retries", 0),  # Our own retry budget decides.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2000),
        ],
    )


async def probe(channel: grpc.aio.Channel) -> None:
    """Raise unless the server at the other end says that it serves."""
    answer = await health_pb2_grpc.HealthStub(channel).Check(
        health_pb2.HealthCheckRequest(), timeout=2
    )
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise Unavailable("NOT_SERVING", "the server does not serve")


class FailedCall(Protocol):
    """What gRPC raises for a failed call, whether it was awaited or not."""

    def trailing_metadata(self) -> Any: ...


def error_of(error: FailedCall, part: str) -> DomainError:
    """Turn a failed call to `part` back into the error that the other side raised."""
    status = status_pb2.Status()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status.ParseFromString(value)
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad_request)
    if not info.reason:
        return Unavailable(
            f"{part}_UNAVAILABLE", f"the {part.capitalize()} service does not answer"
        )
    violations = [
        FieldViolation(each.field, each.description) for each in bad_request.field_violations
    ]
    return rebuilt(status.code, info.reason, status.message, dict(info.metadata), violations)


def rebuilt(
    code: int,
    reason: str,
    message: str,
    metadata: dict[str, str],
    violations: list[FieldViolation],
) -> DomainError:
    """Build the error that another process described by its parts."""
    if code == InvalidArgument.code:
        return InvalidArgument(reason, *violations)
    if code == ResourceExhausted.code:
        return ResourceExhausted(reason, message)
    for kind in (NotFound, AlreadyExists, FailedPrecondition, Aborted, Internal):
        if code == kind.code:
            return kind(reason, message, metadata)
    return Unavailable(reason, message)
