"""Locks on wallets: leases taken in Redis by the batch, shared by everybody in the process.

They relieve contention and nothing else. Postgres judges every action under its own row
locks, so a lease that is lost, stale or granted twice costs speed and never money; there are
no fencing tokens, and without Redis work goes on without leases.
"""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

import structlog
from redis.asyncio import Redis

from shared.telemetry import Metrics
from transaction_service.leases import Exchange, Lease, Leases, LockTimes

SCRIPT = Path(__file__).with_suffix(".lua").read_text()

_log = structlog.get_logger()


class Hold:
    """Holds one wallet's lease while the `async with` block runs."""

    __slots__ = ("_lease", "_leases", "_wallet_id")

    def __init__(self, leases: Leases, wallet_id: str) -> None:
        self._leases = leases
        self._wallet_id = wallet_id

    async def __aenter__(self) -> None:
        self._lease = self._leases.join(self._wallet_id) or await self._leases.wait(self._wallet_id)

    async def __aexit__(self, *_: object) -> None:
        self._leases.release(self._lease)


class HoldAll:
    """Holds several wallets' leases while the `async with` block runs.

    They are asked for at once, and then taken in one order, which all processes have in common:
    who waits for one holds only such as come before it, so that no circle can close.
    """

    def __init__(self, leases: Leases, wallet_ids: Iterable[str], patience_s: float) -> None:
        self._leases = leases
        self._wallet_ids = sorted(wallet_ids)
        self._patience_s = patience_s
        self._held: list[Lease] = []

    async def __aenter__(self) -> None:
        self._leases.want(self._wallet_ids)
        try:
            async with asyncio.timeout(self._patience_s):
                for each in self._wallet_ids:
                    self._held.append(self._leases.join(each) or await self._leases.wait(each))
        except TimeoutError:
            pass  # It goes on without the rest.
        except BaseException:
            self._release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._release()

    def _release(self) -> None:
        for each in self._held:
            self._leases.release(each)


class WalletLocks:
    """Leases on wallets, owned by this process and shared by all its holders.

    Holders in one process do not exclude each other; two processes do not hold one wallet at
    the same time while Redis keeps its word. Who holds one and waits for another would invite
    the deadlocks that this avoids: hold one at a time, or several by `hold_all`.

    `owner` is a token that no other process has. `redis` must not decode responses.
    """

    def __init__(
        self, redis: Redis, owner: str, metrics: Metrics, times: LockTimes | None = None
    ) -> None:
        self._redis = redis
        self._owner = owner
        self._metrics = metrics
        self._times = times or LockTimes()
        self._leases = Leases(self._times)
        self._script = redis.register_script(SCRIPT)
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []

    def hold(self, wallet_id: str) -> Hold:
        """Hold the wallet's lease: `async with locks.hold(wallet_id): …`.

        Never fails, and after `patience_s` goes on without a lease. Costs no call and does
        not yield where the process has the lease already.
        """
        return Hold(self._leases, wallet_id)

    def hold_all(self, wallet_ids: Iterable[str]) -> HoldAll:
        """Hold several wallets' leases, each once; as `hold`, and with the same patience in all."""
        return HoldAll(self._leases, wallet_ids, self._times.patience_s)

    async def probe(self) -> None:
        """Raise unless Redis answers."""
        async with asyncio.timeout(self._times.call_s):
            await self._redis.ping()

    def start(self) -> None:
        """Begin to exchange leases with Redis, which need not be up."""
        self._tasks = [
            asyncio.create_task(work()) for work in (self._carry, self._listen, self._sweep)
        ]

    async def close(self) -> None:
        """Give all leases back; holders go on without, and so does who comes later."""
        carrier, *others = self._tasks
        self._closing = True
        self._leases.wake()
        for task in others:
            task.cancel()
        await asyncio.wait(others)
        await carrier

    async def _carry(self) -> None:
        while not self._closing:
            try:
                await self._exchange(await self._leases.next_exchange())
            except Exception as error:  # noqa: BLE001 (whatever it is, work must go on)
                self._lose_redis(error)
                await self._find_redis()
            await asyncio.sleep(self._times.gather_s)  # A call costs as much as dozens of leases.
        await self._give_everything_back()

    async def _exchange(self, exchange: Exchange) -> None:
        answers = await self._call(exchange.gives, [each.wallet_id for each in exchange.asks])
        now = asyncio.get_running_loop().time()
        for lease, answer in zip(exchange.asks, answers, strict=True):
            self._leases.answered(lease, answer, now)

    async def _call(self, gives: Sequence[str], asks: Sequence[str]) -> list[int]:
        keys = [_key_of(wallet_id) for wallet_id in (*gives, *asks)]
        times = (int(self._times.ttl_s * 1000), int(self._times.handover_s * 1000))
        async with asyncio.timeout(self._times.call_s):
            answers: list[int] = await self._script(keys, (self._owner, *times, len(gives)))
        return answers

    def _lose_redis(self, error: Exception) -> None:
        self._leases.suspend()
        self._metrics.gauge("locks_without_redis", 1)
        _log.warning("redis is lost: going on without wallet locks", error=repr(error))

    async def _find_redis(self) -> None:
        while not self._closing:
            try:
                await self.probe()
            except Exception:  # noqa: BLE001 (the loss is logged once; here it only lasts)
                await asyncio.sleep(self._times.retry_s)
            else:
                self._leases.resume()
                self._metrics.gauge("locks_without_redis", 0)
                _log.info("redis is back: wallets are locked again")
                return

    async def _give_everything_back(self) -> None:
        self._leases.suspend()
        try:
            while self._leases.has_work:
                await self._exchange(await self._leases.next_exchange())
        except Exception as error:  # noqa: BLE001 (they end by themselves)
            _log.warning("wallet locks are left to their expiry", error=repr(error))

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except Exception as error:  # noqa: BLE001 (leases are asked for again meanwhile)
                _log.info("listening for wallet locks anew", error=repr(error))
            await asyncio.sleep(self._times.retry_s)

    async def _listen_once(self) -> None:
        """Pass notifications on until the connection fails or falls silent."""
        async with self._redis.pubsub() as channel:
            await channel.subscribe(f"wallet-locks:{self._owner}")
            silent = False
            while True:
                message = await channel.get_message(timeout=self._times.ttl_s)
                if message is None:
                    if silent:
                        raise TimeoutError("the connection for notifications is silent")
                    await channel.ping()
                elif message["type"] == "message":
                    self._leases.look_at(_wallet_of(message["data"]))
                silent = message is None

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._times.sweep_s)
            if impatient := self._leases.sweep(loop.time()):
                self._metrics.increment("locks_given_up", impatient)


def _key_of(wallet_id: str) -> str:
    return f"wallet-lock:{{{wallet_id}}}"


def _wallet_of(key: bytes) -> str:
    return key.decode()[len("wallet-lock:{") : -len("}")]
