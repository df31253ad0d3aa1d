"""Firestore behind a server that fails commits, as often and with what code a test wants."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

_COMMIT = "/google.firestore.v1.Firestore/Commit"

Context = grpc.aio.ServicerContext[Any, Any]


class FailingFirestore(grpc.GenericRpcHandler):
    """Passes every call on, but for the first `failures` commits."""

    def __init__(
        self, firestore: grpc.aio.Channel, code: grpc.StatusCode, failures: int, *, had: bool
    ) -> None:
        """With `had`, a commit that fails was had all the same: only its answer is lost."""
        self.failures = failures
        self._firestore = firestore
        self._code = code
        self._had = had

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        name = handler_call_details.method
        if name == _COMMIT:
            return grpc.unary_unary_rpc_method_handler(self._commit)

        async def pass_on(request: bytes, _: Context) -> AsyncIterator[bytes]:
            call: Any = self._firestore.unary_stream(name)
            async for response in call(request):
                yield response

        return grpc.unary_stream_rpc_method_handler(pass_on)

    async def _commit(self, request: bytes, context: Context) -> bytes:
        if not self.failures:
            return await self._pass_on(request, context)
        self.failures -= 1
        if self._had:
            await self._pass_on(request, context)
        await context.abort(self._code, "as the test wants")
        raise AssertionError("abort raises")

    async def _pass_on(self, request: bytes, context: Context) -> bytes:
        call: Any = self._firestore.unary_unary(_COMMIT)
        try:
            response: bytes = await call(request)
        except grpc.aio.AioRpcError as error:
            await context.abort(error.code(), error.details() or "")
        return response


@asynccontextmanager
async def failing_firestore(
    listen: str, firestore: str, code: grpc.StatusCode, failures: int, *, had: bool
) -> AsyncIterator[FailingFirestore]:
    """Serve at `listen` what is at `firestore`."""
    async with grpc.aio.insecure_channel(firestore) as channel:
        failing = FailingFirestore(channel, code, failures, had=had)
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((failing,))
        server.add_insecure_port(listen)
        await server.start()
        try:
            yield failing
        finally:
            await server.stop(None)
