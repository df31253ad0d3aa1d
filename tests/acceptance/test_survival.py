"""What must survive the death of processes: nothing lost, nothing doubled."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import grpc
import pytest

from devstack.stack import Stack
from tests.acceptance.clients import PRICE_MINOR, Caller, caller, events_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

USAGES, AT_ONCE = 1500, 32
PATIENCE_S = 60


@pytest.fixture
async def client(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Caller]:
    host = stack.environment["FIRESTORE_EMULATOR_HOST"]
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", host)
    async with caller(stack.environment) as connected:
        yield connected


async def use_many(client: Caller, wallet_id: str, done: list[str]) -> None:
    """Have many usages answered, a few at once; `done` gathers their transactions."""
    todo = iter(range(USAGES))

    async def work() -> None:
        for _ in todo:
            answer = await client.use_until_answered(wallet_id)
            done.append(answer.transaction_id)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def kill_in_mid_work(stack: Stack, names: list[str], done: list[str]) -> None:
    """Kill each process with SIGKILL and start it again, spread over the work."""
    for count, name in enumerate(names, start=1):
        await until(partial(_reached, done, USAGES * count // (len(names) + 1)))
        assert await stack.end(name, signal.SIGKILL) == -signal.SIGKILL
        await stack.start(name)


async def _reached(done: list[str], count: int) -> bool:
    return len(done) >= count


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110 (it happens in other processes)
            await asyncio.sleep(0.05)


async def test_kill_9_loses_and_doubles_nothing(stack: Stack, client: Caller) -> None:
    """With Wallet, publisher and sink killed in mid-work, twice each, every usage counts once.

    Once in its caller's answer, once in the books, once in Firestore.
    """
    funds_minor = 2 * USAGES * PRICE_MINOR
    wallet_id = await client.wallet(funds_minor)
    done: list[str] = []
    names = ["wallet", "publisher", "sink", "sink", "publisher", "wallet"]
    await asyncio.gather(use_many(client, wallet_id, done), kill_in_mid_work(stack, names, done))
    assert len(set(done)) == len(done) == USAGES
    balance = await client.balance(wallet_id)
    assert balance.posted_minor == funds_minor - USAGES * PRICE_MINOR

    async def all_written() -> bool:
        return len(await events_of(stack.environment["GOOGLE_CLOUD_PROJECT"], wallet_id)) > USAGES

    await until(all_written)
    events = await events_of(stack.environment["GOOGLE_CLOUD_PROJECT"], wallet_id)
    usages = {name for name, event in events.items() if event["kind"] == "TRANSACTION_KIND_USAGE"}
    assert usages == set(done)
    assert len(events) == USAGES + 1  # And the top-up.


async def test_sigterm_drains(stack: Stack, client: Caller) -> None:
    """A front door that is told to stop in mid-work answers what it took and exits with 0."""
    wallet_id = await client.wallet(1000 * PRICE_MINOR)
    work = [asyncio.create_task(client.use(wallet_id)) for _ in range(200)]
    await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
    assert await stack.end("transaction", signal.SIGTERM) == 0
    answers = await asyncio.gather(*work, return_exceptions=True)
    accepted = [each for each in answers if not isinstance(each, BaseException)]
    refused = [each for each in answers if isinstance(each, grpc.aio.AioRpcError)]
    assert len(accepted) + len(refused) == len(work)
    assert {each.code() for each in refused} <= {grpc.StatusCode.UNAVAILABLE}
    posted_minor = (await client.balance(wallet_id)).posted_minor
    assert posted_minor == (1000 - len(accepted)) * PRICE_MINOR
    await stack.start("transaction")
