"""More than the front door can hold, with every process real, on both engines.

The Wallet stands still meanwhile: so what is refused is refused at once, by nobody's leave, and
how much is under way does not depend on how fast this machine is.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TypeAlias

import grpc
import psutil
import pytest
from google.rpc import error_details_pb2, status_pb2
from privy.transaction.v1 import transaction_pb2 as pb
from privy.transaction.v1 import transaction_pb2_grpc

from devstack.stack import Stack
from shared.rpc_admission import MAX_CALLS
from tests.acceptance.clients import PRICE_MINOR, caller, new_id
from tests.acceptance.operators import Walletctl, until_lag_is

CONNECTIONS, CALLS = 8, 2 * MAX_CALLS
TIMEOUT_S = 60
MAX_RESIDENT_BYTES = 250 * 2**20
BACKLOG_S = 180.0

Stub: TypeAlias = "transaction_pb2_grpc.TransactionServiceAsyncStub"


@pytest.fixture(scope="module", autouse=True)
def written_at_the_end(stack: Stack) -> Iterator[None]:
    """Wait for the events of all these, some 26,000: other tests on this stack wait for theirs."""
    yield
    walletctl = Walletctl({**os.environ, **stack.environment})
    asyncio.run(until_lag_is(walletctl, BACKLOG_S, feed_backlog=0, subscription_backlog=0))


@contextmanager
def standing_still(process_id: int) -> Iterator[None]:
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


@asynccontextmanager
async def connections(target: str) -> AsyncIterator[Sequence[Stub]]:
    """Several connections: one would hold calls back before they are sent."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(target, options=options))
            for _ in range(CONNECTIONS)
        ]
        yield [transaction_pb2_grpc.TransactionServiceStub(each) for each in channels]


def process_of(stack: Stack, environment: Mapping[str, str], part: str) -> int:
    """Find the process that serves either engine's callers."""
    variable = f"{part.upper()}_TARGET"
    own = environment[variable] == stack.environment[variable]
    return stack.pid(part if own else f"{part}-native")


def retry_delay_s(error: grpc.aio.AioRpcError) -> int:
    status = status_pb2.Status()
    status.ParseFromString(dict(error.trailing_metadata() or ())["grpc-status-details-bin"])
    retry = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(retry) for detail in status.details)
    return int(retry.retry_delay.seconds)


async def first_done(calls: Sequence["asyncio.Task[object]"], count: int) -> None:
    """Wait until so many have been answered."""
    waiting = set(calls)
    async with asyncio.timeout(TIMEOUT_S):
        while len(calls) - len(waiting) < count:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)


async def test_what_it_cannot_hold_is_refused_at_once_and_the_rest_is_done(
    stack: Stack, environment: Mapping[str, str]
) -> None:
    """Twice as many calls as it holds: half hear to come again, half are booked, once each."""
    front, wallet = (process_of(stack, environment, part) for part in ("transaction", "wallet"))
    funds_minor = CALLS * PRICE_MINOR
    async with caller(environment) as client, connections(environment["TRANSACTION_TARGET"]) as to:
        wallet_id = await client.wallet(funds_minor)
        await client.use(wallet_id)  # What the wallet is, is known from here on.

        async def use(number: int) -> object:
            request = pb.RecordUsageRequest(
                request_id=new_id(), wallet_id=wallet_id, product_code="API_CALL", quantity=1
            )
            return await to[number % CONNECTIONS].RecordUsage(request, timeout=TIMEOUT_S)

        with standing_still(wallet):
            calls = [asyncio.create_task(use(number)) for number in range(CALLS)]
            await first_done(calls, CALLS - MAX_CALLS)
        answers = await asyncio.gather(*calls, return_exceptions=True)
        refused = [each for each in answers if isinstance(each, grpc.aio.AioRpcError)]
        assert Counter(each.code() for each in refused) == {
            grpc.StatusCode.RESOURCE_EXHAUSTED: CALLS - MAX_CALLS
        }
        assert {retry_delay_s(each) for each in refused} == {1}
        spent_minor = (MAX_CALLS + 1) * PRICE_MINOR
        assert (await client.balance(wallet_id)).posted_minor == funds_minor - spent_minor
    assert psutil.Process(front).memory_info().rss < MAX_RESIDENT_BYTES


async def test_batches_count_by_their_items(stack: Stack, environment: Mapping[str, str]) -> None:
    """Ten batches of a thousand are taken; the eleventh is refused while they are under way."""
    front, wallet = (process_of(stack, environment, part) for part in ("transaction", "wallet"))
    async with caller(environment) as client, connections(environment["TRANSACTION_TARGET"]) as to:
        wallet_id = await client.wallet(11_001 * PRICE_MINOR)
        await client.use(wallet_id)

        async def execute(number: int) -> pb.ExecuteBatchResponse:
            items = [
                pb.BatchItem(
                    record_usage=pb.RecordUsageRequest(
                        request_id=new_id(),
                        wallet_id=wallet_id,
                        product_code="API_CALL",
                        quantity=1,
                    )
                )
                for _ in range(1_000)
            ]
            request = pb.ExecuteBatchRequest(items=items, mode=pb.BATCH_MODE_INDEPENDENT)
            return await to[number % CONNECTIONS].ExecuteBatch(request, timeout=TIMEOUT_S)

        with standing_still(wallet):
            calls = [asyncio.create_task(execute(number)) for number in range(11)]
            await first_done(calls, 1)
        answers = await asyncio.gather(*calls, return_exceptions=True)
        refused = [each for each in answers if isinstance(each, grpc.aio.AioRpcError)]
        assert [each.code() for each in refused] == [grpc.StatusCode.RESOURCE_EXHAUSTED]
        assert (await client.balance(wallet_id)).posted_minor == 1_000 * PRICE_MINOR
    assert psutil.Process(front).memory_info().rss < MAX_RESIDENT_BYTES
