"""The naive front door: takes the wallet's lock, asks the naive wallet, gives the lock back."""

from typing import Any

import grpc
from privy.transaction.v1 import transaction_pb2 as pb
from privy.transaction.v1 import transaction_pb2_grpc
from privy.wallet.v1.amount_pb2 import Amount
from redis.asyncio import Redis
from redis.exceptions import LockError

from bench.naive.serving import serve_method

PRICE_MINOR = 500_000
LOCK_TTL_S = 10.0
LOCK_WAIT_S = 30.0
LOCK_POLL_S = 0.1
CALL_TIMEOUT_S = 10.0
REDIS_CONNECTIONS = 2_000


class Front:
    def __init__(self, redis: Redis, wallet: grpc.aio.Channel) -> None:
        self._redis = redis
        self._wallet: transaction_pb2_grpc.TransactionServiceAsyncStub = (
            transaction_pb2_grpc.TransactionServiceStub(wallet)
        )

    async def record_usage(
        self, request: pb.RecordUsageRequest, context: Any
    ) -> pb.RecordUsageResponse:
        plan = pb.TransferRequest(
            request_id=request.request_id,
            source_wallet_id=request.wallet_id,
            amount=Amount(asset_code="IDR", minor_units=PRICE_MINOR * request.quantity),
        )
        lock = self._redis.lock(
            f"naive:{request.wallet_id}",
            timeout=LOCK_TTL_S,
            sleep=LOCK_POLL_S,
            blocking_timeout=LOCK_WAIT_S,
        )
        try:
            async with lock:
                done = await self._wallet.Transfer(plan, timeout=CALL_TIMEOUT_S)
        except LockError as error:
            await context.abort(grpc.StatusCode.ABORTED, str(error))
        except grpc.aio.AioRpcError as error:
            await context.abort(error.code(), error.details() or "")
        return pb.RecordUsageResponse(transaction=done.transaction)


async def serve(listen: str, wallet_target: str, redis_url: str) -> None:
    """Serve until cancelled."""
    async with (
        grpc.aio.insecure_channel(wallet_target) as channel,
        Redis.from_url(redis_url, max_connections=REDIS_CONNECTIONS) as redis,
    ):
        front = Front(redis, channel)
        await serve_method(
            listen, "RecordUsage", front.record_usage, pb.RecordUsageRequest, pb.RecordUsageResponse
        )
