"""When an emulator serves: it answers a gRPC call, whatever it answers."""

import grpc

_NO_ANSWER = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


async def wait_ready(port: int, deadline_s: float) -> None:
    """Wait until the gRPC server on 127.0.0.1:`port` answers; TimeoutError after `deadline_s`."""
    options = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        # No server knows this method: a refusal is the answer that proves it is there.
        probe: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/devstack.Probe/Answer"
        )
        try:
            await probe(b"", timeout=deadline_s, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            if error.code() in _NO_ANSWER:
                raise TimeoutError(
                    f"no gRPC server answers on 127.0.0.1:{port} within {deadline_s} s"
                ) from error
