"""The load against real servers of both engines: every answer is counted for what it is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pygrpc_native.aio
import pytest
from privy.transaction.v1 import transaction_pb2 as pb

from bench.load.driving import run
from bench.load.order import Order
from bench.load.traffic import SERVICE

ENGINES = {"grpcio": grpc.aio.server, "native": pygrpc_native.aio.server}


class Service:
    """Answers usages as its `answer` says, and keeps what it was asked."""

    def __init__(self, answer: Callable[[int, Any], Any]) -> None:
        self.asked: list[pb.RecordUsageRequest] = []
        self.at_once = self.most_at_once = 0
        self._answer = answer

    async def record_usage(
        self, request: pb.RecordUsageRequest, context: Any
    ) -> pb.RecordUsageResponse:
        self.asked.append(request)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await asyncio.sleep(0)
            await self._answer(len(self.asked), context)
        finally:
            self.at_once -= 1
        return pb.RecordUsageResponse(transaction=pb.Transaction(request_id=request.request_id))


@asynccontextmanager
async def served(engine: str, service: Service) -> AsyncIterator[str]:
    handler = grpc.unary_unary_rpc_method_handler(
        service.record_usage,
        request_deserializer=pb.RecordUsageRequest.FromString,
        response_serializer=pb.RecordUsageResponse.SerializeToString,
    )
    server = ENGINES[engine]()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {"RecordUsage": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


def order(target: str, **others: Any) -> Order:
    return Order(target, "uniform", 1001, 10, warmup_seconds=0.1, connections=2, **others)


async def accept(number: int, context: Any) -> None:
    """Refuse nothing."""


async def refuse_every_third(number: int, context: Any) -> None:
    if number % 3 == 0:
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"too many at {number}")


@pytest.mark.parametrize("engine", ENGINES)
async def test_so_many_calls_are_always_under_way_and_each_is_new(engine: str) -> None:
    """No request id comes twice; the server answers none before all that are ordered are there."""
    full = asyncio.Event()

    async def accept_together(number: int, _: Any) -> None:
        if number == 20:
            full.set()
        await full.wait()

    service, begun = Service(accept_together), list[bool]()
    async with served(engine, service) as target:
        outcome = await run(order(target, seconds=2, in_flight=20), lambda: begun.append(True))
    ids = [each.request_id for each in service.asked]
    assert len(set(ids)) == len(ids) > outcome.actions > 0
    assert outcome.statuses == {"OK": outcome.actions}
    assert service.most_at_once == 20
    assert (begun, outcome.failed, outcome.unanswered) == ([True], 0, 0)
    assert outcome.latency_ms["p50"] <= outcome.latency_ms["p99"] <= outcome.latency_ms["p100"]


@pytest.mark.parametrize("engine", ENGINES)
async def test_refused_calls_are_counted_by_status_with_words(engine: str) -> None:
    """A refusal differs each time, and is never taken for something else."""
    async with served(engine, Service(refuse_every_third)) as target:
        outcome = await run(order(target, seconds=0.5, in_flight=9), lambda: None)
    assert outcome.statuses.keys() == {"OK", "RESOURCE_EXHAUSTED"}
    assert outcome.actions == outcome.statuses["OK"]
    assert outcome.failed == outcome.statuses["RESOURCE_EXHAUSTED"]
    assert outcome.said[0].startswith("RESOURCE_EXHAUSTED: too many at ")


@pytest.mark.parametrize("engine", ENGINES)
async def test_paced_calls_are_all_counted(engine: str) -> None:
    """As many as are due in the time, whenever they are answered."""
    async with served(engine, Service(accept)) as target:
        outcome = await run(order(target, seconds=1, per_second=200), lambda: None)
    assert 199 <= sum(outcome.statuses.values()) <= 201
    assert outcome.failed == 0


async def test_a_slow_answer_counts_from_when_its_call_was_due() -> None:
    """A server that stops for a while is slow for all calls that were due in that while."""

    async def stop_once(number: int, context: Any) -> None:
        if number == 50:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "for once")
        if number in range(51, 90):
            await asyncio.sleep(0.3)

    async with served("grpcio", Service(stop_once)) as target:
        outcome = await run(order(target, seconds=1, per_second=200), lambda: None)
    assert outcome.statuses["UNAVAILABLE"] == 1
    assert outcome.latency_ms["p90"] >= 300


async def test_a_lost_connection_ends_the_run() -> None:
    """A figure with calls that never came back would be none."""
    under_way = asyncio.Event()

    async def accept_and_tell(_number: int, _context: Any) -> None:
        under_way.set()

    async with served("grpcio", Service(accept_and_tell)) as target:
        running = asyncio.ensure_future(run(order(target, seconds=30, in_flight=5), lambda: None))
        await asyncio.wait_for(under_way.wait(), 30)
    with pytest.raises(Exception, match=r"goes away|closed the connection"):
        await running
