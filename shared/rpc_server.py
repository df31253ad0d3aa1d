"""Serves gRPC on either engine, with health, reflection and a graceful stop."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import grpc
import structlog
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from shared.health import Health
from shared.rpc_edge import Edge
from shared.rpc_settings import Engine

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
MAX_CALLS_PER_CONNECTION = 1_024
MAX_PENDING_CALLS = 8_192
DRAIN_S = 10.0
REFUSING_S = 0.5

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Services:
    """The gRPC services of a process: their full names, and what adds them to a server."""

    names: tuple[str, ...] = ()
    register: Callable[[grpc.aio.Server], None] = lambda _: None


async def serve(  # noqa: PLR0913 (what a server is made of)
    listen: str,
    services: Services,
    health_of: Health,
    edge: Edge,
    stop: asyncio.Event,
    *,
    engine: Engine = "grpcio",
) -> None:
    """Serve on `listen` (`host:port`) until `stop` is set, then drain.

    Draining: health says NOT_SERVING first; then, for a moment, calls that had been sent before
    their callers could know are refused as UNAVAILABLE, which a closing server would cancel; and
    those under way have 10 s to end.
    """
    server = _server(engine, edge)
    surrounding = cast("grpc.aio.Server", _Surrounding(server, edge))
    services.register(surrounding)
    health_pb2_grpc.add_HealthServicer_to_server(health_of.servicer, surrounding)
    reflection.enable_server_reflection(
        (*services.names, health.SERVICE_NAME, reflection.SERVICE_NAME), server
    )
    server.add_insecure_port(listen)
    await health_of.check_once(services.names)  # Or it would say SERVING before it knows.
    await server.start()
    watching = asyncio.create_task(health_of.watch(services.names))
    _log.info("serving", listen=listen, services=services.names, engine=engine)
    try:
        await stop.wait()
    finally:
        watching.cancel()
        await health_of.servicer.enter_graceful_shutdown()
        edge.refuse_new_calls()
        await asyncio.sleep(REFUSING_S)
        await server.stop(DRAIN_S)
        _log.info("stopped", listen=listen)


class _Surrounding:
    """Takes services as a server does, and hands them on to it with the edge around each call.

    An interceptor could do the same, for the price of looking every call's handler up anew.
    """

    def __init__(self, server: grpc.aio.Server, edge: Edge) -> None:
        self._server = server
        self._edge = edge

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Pass over them: generated code names the same ones as registered methods too."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        surrounded = {
            name: self._edge.surround(f"/{service}/{name}", handler)
            for name, handler in handlers.items()
        }
        generic = grpc.method_handlers_generic_handler(service, surrounded)
        self._server.add_generic_rpc_handlers((generic,))
        self._server.add_registered_method_handlers(service, surrounded)


def _server(engine: Engine, edge: Edge) -> grpc.aio.Server:
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_concurrent_streams", MAX_CALLS_PER_CONNECTION),  # Others wait at the client.
        # Beyond these gRPC cancels calls that wait for Python, where the edge would refuse them.
        ("grpc.server.max_pending_requests", MAX_PENDING_CALLS),
        ("grpc.server.max_pending_requests_hard_limit", 2 * MAX_PENDING_CALLS),
        ("grpc.so_reuseport", 0),  # Two processes on one port are a mistake.
    ]
    if engine == "grpcio":
        return grpc.aio.server(options=options)
    from shared.rpc_native import NativeServer  # noqa: PLC0415 (only who asks for it needs it)

    return NativeServer(options, edge)
