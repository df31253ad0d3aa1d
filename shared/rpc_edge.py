"""The edge of every gRPC server of ours: calls in, errors out, one log line each."""

import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from functools import lru_cache
from types import TracebackType
from typing import Any, Self, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError

from shared.errors import DomainError, Internal, invalid
from shared.rpc_admission import Admission
from shared.rpc_status import STATUS_CODES, status_of
from shared.telemetry import Metrics, Tracing, current_traceparent

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Metadata: TypeAlias = tuple[tuple[str, bytes], ...]

GRPCS_OWN = "/grpc."
"""How the names of gRPC's own services begin."""

TELL_EVERY_S = 1.0
"""How often the log tells of calls that are turned away, at most."""

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

_log = structlog.get_logger()


class Edge:
    """Surrounds each call of one request: admission, trace context, decoding, errors, log line.

    gRPC's own services (`/grpc.`) are admitted however busy the process is, and not logged.
    """

    def __init__(
        self, tracing: Tracing, metrics: Metrics, admission: Admission | None = None
    ) -> None:
        self._tracing = tracing
        self._metrics = metrics
        self._admission = admission or Admission()
        self._refusals: dict[str, Metadata] = {}
        self._turned_away = 0
        self._told_at = 0.0

    def refuse_new_calls(self) -> None:
        """Answer every call from now on UNAVAILABLE; those under way go on."""
        self._admission.close()

    def refusal(self, method: str, size: int) -> tuple[DomainError, Metadata] | None:
        """Say with what a call ends that cannot be taken; None if it may come in.

        For an engine that can refuse a call before anything is made for it. The handlers that
        `surround` answers do the same.
        """
        if method.startswith(GRPCS_OWN):
            return None
        error = self._admission.refusal(size)
        return (error, self._turn_away(method, error)) if error else None

    def surround(self, method: str, handler: Any) -> Any:
        """Answer a handler that does what `handler` does, within the edge."""
        # Decoded within, where a failure can be answered well.
        undecoded = {
            "request_deserializer": None,
            "response_serializer": handler.response_serializer,
        }
        own = method.startswith(GRPCS_OWN)
        if handler.unary_unary and own:
            return grpc.unary_unary_rpc_method_handler(self._standard(handler), **undecoded)
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(self._unary(method, handler), **undecoded)
        if handler.unary_stream and not own:
            return grpc.unary_stream_rpc_method_handler(self._stream(method, handler), **undecoded)
        return handler

    def _standard(self, handler: Any) -> Callable[..., Awaitable[Any]]:
        async def call(body: bytes, context: Context) -> Any:
            try:
                if closing := self._admission.closing():
                    raise closing
                request = _decoded(handler.request_deserializer, body)
            except DomainError as error:
                return _end(context, error, _metadata_of(error))
            return await handler.unary_unary(request, context)

        return call

    def _unary(self, method: str, handler: Any) -> Callable[..., Awaitable[Any]]:
        decode, behave = handler.request_deserializer, handler.unary_unary

        async def call(body: bytes, context: Context) -> Any:
            if refusal := self._admission.enter(len(body)):
                return _end(context, refusal, self._turn_away(method, refusal))
            with _Call(self._tracing, method, context) as call:
                try:
                    answer = await behave(call.decoded(decode, body), context)
                finally:
                    self._admission.leave(len(body))
            self._record(call)
            if call.error is not None:
                return _end(context, call.error, _metadata_of(call.error))
            return answer

        return call

    def _stream(self, method: str, handler: Any) -> Callable[..., AsyncIterator[Any]]:
        decode, behave = handler.request_deserializer, handler.unary_stream

        async def call(body: bytes, context: Context) -> AsyncIterator[Any]:
            if refusal := self._admission.enter(len(body)):
                _end(context, refusal, self._turn_away(method, refusal))
                return
            with _Call(self._tracing, method, context) as call:
                try:
                    async with aclosing(behave(call.decoded(decode, body), context)) as answers:
                        async for answer in answers:
                            # Or a long stream would outlast the stopping process.
                            if closing := self._admission.closing():
                                raise closing
                            yield answer
                finally:
                    self._admission.leave(len(body))
            self._record(call)
            if call.error is not None:
                _end(context, call.error, _metadata_of(call.error))

        return call

    def _turn_away(self, method: str, refusal: DomainError) -> Metadata:
        """Count a call that is refused, and answer the metadata it ends with.

        They are made once for each reason: there may be very many such calls.
        """
        self._tell(method, refusal)
        if refusal.reason not in self._refusals:
            self._refusals[refusal.reason] = _metadata_of(refusal)
        return self._refusals[refusal.reason]

    def _tell(self, method: str, refusal: DomainError) -> None:
        """Count a call that is turned away, and log now and then how many were."""
        self._metrics.increment("refused_calls", tags=[f"verdict:{refusal.reason}"])
        self._turned_away += 1
        now = time.monotonic()
        if now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            _log.warning(
                "calls are turned away",
                method=_name(method),
                verdict=refusal.reason,
                count=self._turned_away,
            )
            self._turned_away = 0

    def _record(self, call: "_Call") -> None:
        verdict = call.error.reason if call.error else "OK"
        duration_ms = (time.perf_counter() - call.started) * 1000
        method_tag, verdict_tag = _tags(call.name, verdict)
        self._metrics.increment("actions", tags=[method_tag, verdict_tag])
        self._metrics.histogram("action_ms", duration_ms, tags=[method_tag])
        _log.info(
            "action",
            method=call.name,
            verdict=verdict,
            request_id=call.request_id,
            duration_ms=round(duration_ms, 2),
            traceparent=current_traceparent.get(),
        )


class _Call:
    """A call under way, in its span. What is raised within is kept as `error`."""

    def __init__(self, tracing: Tracing, method: str, context: Context) -> None:
        self.started = time.perf_counter()
        self.name = _name(method)
        self.request_id = ""
        self.error: DomainError | None = None
        self._span = tracing.span(self.name, _traceparent_of(context))

    def __enter__(self) -> Self:
        current_traceparent.set(self._span.__enter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, DomainError):
            self.error = error
        elif isinstance(error, Exception):
            self.error = _unforeseen(self.name, error)
        self._span.__exit__(None, None, None)
        return self.error is not None

    def decoded(self, decode: Callable[[bytes], Any] | None, body: bytes) -> Any:
        request = _decoded(decode, body)
        self.request_id = getattr(request, "request_id", "")
        return request


@lru_cache(maxsize=1024)
def _tags(method: str, verdict: str) -> tuple[str, str]:
    return f"method:{method}", f"verdict:{verdict}"


def _decoded(decode: Callable[[bytes], Any] | None, body: bytes) -> Any:
    try:
        return decode(body) if decode else body
    except DecodeError:
        raise invalid("request", "is not a valid message of this call") from None


def _name(method: str) -> str:
    return method.rpartition("/")[2]


def _unforeseen(method: str, error: Exception) -> Internal:
    error_id = uuid.uuid4().hex
    _log.error("unforeseen error", method=method, error_id=error_id, exc_info=error)
    return Internal("INTERNAL", f"internal error {error_id}", {"error_id": error_id})


def _traceparent_of(context: Context) -> str:
    """Read the caller's trace context; what is none is passed over, as W3C's standard says."""
    for key, value in context.invocation_metadata() or ():
        if key == "traceparent" and isinstance(value, str) and _TRACEPARENT.fullmatch(value):
            return value
    return ""


def _end(context: Context, error: DomainError, metadata: Metadata) -> None:
    """Have a call end with an error; `abort` would do it by an exception, which is dearer."""
    context.set_code(STATUS_CODES[error.code])
    context.set_details(error.message)
    context.set_trailing_metadata(metadata)


def _metadata_of(error: DomainError) -> Metadata:
    return (("grpc-status-details-bin", status_of(error).SerializeToString()),)
