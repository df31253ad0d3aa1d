"""What both stand-ins need to be a gRPC server: refusals, handlers, a process that ends well.

The wheels of Google's clients hold message classes but no servicer base classes, so a service
is a mapping from the names of its methods to handlers.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import grpc
import pygrpc_native.aio

from shared.process import run

MAX_REQUEST_BYTES = 16 * 1024 * 1024
# Streams learn of the end by themselves; this is for whatever does not.
_STOP_GRACE_S = 1.0

Context = grpc.aio.ServicerContext[Any, Any]
Trailers = tuple[tuple[str, bytes], ...]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
# Full name of the service → name of the method → its handler.
Services: TypeAlias = "Mapping[str, dict[str, Handler]]"


class Refusal(Exception):
    """A call that is answered with an error; its code and words follow Google's emulator."""

    def __init__(self, code: grpc.StatusCode, message: str, trailers: Trailers = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.trailers = trailers


def unary(request: Any, behaviour: Callable[[Any], Any]) -> Handler:
    """Serve a call that is answered at once: `behaviour` makes the answer to a `request`."""

    async def answer(message: Any, context: Context) -> Any:
        async with refused(context):
            return behaviour(message)

    return grpc.unary_unary_rpc_method_handler(answer, request.FromString, serialized)


def unary_waiting(request: Any, behaviour: Callable[[Any, Context], Awaitable[Any]]) -> Handler:
    """Serve a call that may wait before it answers."""

    async def answer(message: Any, context: Context) -> Any:
        async with refused(context):
            return await behaviour(message, context)

    return grpc.unary_unary_rpc_method_handler(answer, request.FromString, serialized)


def streaming(request: Any, behaviour: Callable[[Any], Iterable[Any]]) -> Handler:
    """Serve a call that answers one request with many messages."""

    async def answer(message: Any, context: Context) -> None:
        async with refused(context):
            for each in behaviour(message):
                await context.write(each)

    return grpc.unary_stream_rpc_method_handler(answer, request.FromString, serialized)


def bidirectional(
    request: Any, behaviour: Callable[[AsyncIterator[Any], Context], Awaitable[None]]
) -> Handler:
    """Serve a call that takes and answers messages at the same time."""

    async def answer(messages: AsyncIterator[Any], context: Context) -> None:
        async with refused(context):
            await behaviour(messages, context)

    return grpc.stream_stream_rpc_method_handler(answer, request.FromString, serialized)


def serialized(message: Any) -> bytes:
    return bytes(message.SerializeToString())


@asynccontextmanager
async def refused(context: Context) -> AsyncIterator[None]:
    """End the call with the code, the words and the trailers of a refusal raised within."""
    try:
        yield
    except Refusal as refusal:
        await context.abort(refusal.code, refusal.message, refusal.trailers)


@asynccontextmanager
async def serving(listen: str, services: Services) -> AsyncIterator[None]:
    """Serve on `listen` (`host:port`) until the block ends.

    Many small calls come, a publication for each wallet: engine native takes a quarter of
    grpcio's time for one. Streams that go both ways it leaves to grpcio, where handlers are found
    that are registered as generic.
    """
    server = pygrpc_native.aio.server(
        options=[
            ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
            ("grpc.so_reuseport", 0),  # Two emulators on one port are a mistake.
        ]
    )
    for name, handlers in services.items():
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(name, handlers)])
        server.add_registered_method_handlers(name, handlers)
    server.add_insecure_port(listen)
    await server.start()
    try:
        yield
    finally:
        await server.stop(_STOP_GRACE_S)


def run_server(description: str, main: Callable[[str, asyncio.Event], Awaitable[None]]) -> None:
    """Run `main` with the address of the command line until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    listen = parser.parse_args().listen
    run(lambda stop: main(listen, stop))
