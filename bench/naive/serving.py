"""A gRPC server of one method of `TransactionService`."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

SERVICE = "privy.transaction.v1.TransactionService"

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


async def serve_method(
    listen: str,
    name: str,
    method: Callable[[Request, Any], Awaitable[Response]],
    request: type[Request],
    response: type[Response],
) -> None:
    """Serve it on `listen` (`host:port`) until cancelled."""
    handler = grpc.unary_unary_rpc_method_handler(
        method,
        request_deserializer=request.FromString,
        response_serializer=response.SerializeToString,
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {name: handler}),)
    )
    server.add_insecure_port(listen)
    await server.start()
    await server.wait_for_termination()
