"""Logs, traces and counters of a process.

Logs are one JSON object a line in production and readable in development. Traces and counters
go to a Datadog agent when they are switched on, and cost nothing when they are not. The W3C
trace context (`traceparent`) of an action is passed on in either case.
"""

import asyncio
import json
import logging
import secrets
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, Protocol, TextIO

import orjson
import structlog
from pydantic import Field
from pydantic_settings import BaseSettings

current_traceparent: ContextVar[str] = ContextVar("current_traceparent", default="")
"""The trace context of the call being served; set by the edge, read where work is handed on."""


class TelemetrySettings(BaseSettings):
    """Environment of logs, traces and counters; `DD_*` names are Datadog's own."""

    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    dd_trace_enabled: bool = False
    dd_agent_host: str = ""
    dd_dogstatsd_port: int = Field(default=8125, ge=1, le=65535)
    dd_env: str = "development"


class Metrics(Protocol):
    def increment(self, metric: str, value: float = 1, tags: list[str] | None = None) -> None: ...

    def gauge(self, metric: str, value: float, tags: list[str] | None = None) -> None: ...

    def histogram(self, metric: str, value: float, tags: list[str] | None = None) -> None: ...


class Tracing(Protocol):
    def span(self, name: str, traceparent: str) -> AbstractContextManager[str]:
        """Open a span under `traceparent` (or a new trace) and yield the context to pass on."""
        ...


class NoMetrics:
    def increment(self, metric: str, value: float = 1, tags: list[str] | None = None) -> None:
        pass

    def gauge(self, metric: str, value: float, tags: list[str] | None = None) -> None:
        pass

    def histogram(self, metric: str, value: float, tags: list[str] | None = None) -> None:
        pass


class PassOnTracing:
    """Opens no spans; passes the caller's trace context on, or starts a new one."""

    def span(self, name: str, traceparent: str) -> AbstractContextManager[str]:  # noqa: ARG002
        if traceparent:
            return nullcontext(traceparent)
        chance = secrets.token_hex(24)
        return nullcontext(f"00-{chance[:32]}-{chance[32:]}-00")


class DatadogTracing:
    def __init__(self, service: str) -> None:
        from ddtrace.propagation.http import HTTPPropagator  # noqa: PLC0415 (a second to import)
        from ddtrace.trace import tracer  # noqa: PLC0415

        self._service = service
        self._tracer = tracer
        self._propagator = HTTPPropagator

    @contextmanager
    def span(self, name: str, traceparent: str) -> Iterator[str]:
        parent = self._propagator.extract({"traceparent": traceparent}) if traceparent else None
        with self._tracer.start_span(
            name, child_of=parent, service=self._service, activate=True
        ) as span:
            headers: dict[str, str] = {}
            self._propagator.inject(span.context, headers)
            yield headers.get("traceparent", traceparent)


def configure_logging(settings: TelemetrySettings, service: str) -> None:
    """Send structlog's and the standard library's records to stderr in one form."""
    processors: list[structlog.typing.Processor] = [
        partial(_add_service, service),
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
    ]
    renderer = _json if settings.log_format == "json" else _console()
    lines = _Lines(sys.stderr)
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=processors)
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def _add_service(
    service: str, _: Any, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    event["service"] = service
    return event


def _json(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    event["timestamp"] = datetime.now(UTC)
    try:
        return orjson.dumps(event, default=repr, option=orjson.OPT_UTC_Z).decode()
    except TypeError:  # It knows no numbers above 64 bits, and no text that is not Unicode.
        return json.dumps(event, default=str)


def _console() -> structlog.typing.Processor:
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    render = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return lambda logger, name, event: render(logger, name, stamp(logger, name, event))


class _Lines:
    """Writes the lines of one turn of the event loop together: a write costs as much as a line.

    What is a warning, or worse, is written at once, with what came before it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: list[str] = []

    def info(self, line: str) -> None:
        self._lines.append(line)
        if len(self._lines) > 1:
            return
        try:
            asyncio.get_running_loop().call_soon(self._write)
        except RuntimeError:  # No loop runs that could do it later.
            self._write()

    debug = info

    def warning(self, line: str) -> None:
        self._lines.append(line)
        self._write()

    error = critical = warning

    def _write(self) -> None:
        if self._lines:
            self._stream.write("\n".join(self._lines) + "\n")
            self._stream.flush()
            self._lines.clear()


def build_metrics(settings: TelemetrySettings, service: str) -> Metrics:
    if not settings.dd_agent_host:
        return NoMetrics()
    from datadog.dogstatsd.base import DogStatsd  # noqa: PLC0415 (not needed unless switched on)

    return DogStatsd(
        host=settings.dd_agent_host,
        port=settings.dd_dogstatsd_port,
        namespace="transaction_wallet",
        constant_tags=[f"service:{service}", f"env:{settings.dd_env}"],
    )


def build_tracing(settings: TelemetrySettings, service: str) -> Tracing:
    return DatadogTracing(service) if settings.dd_trace_enabled else PassOnTracing()
