"""What this process has of the wallets' leases, and who waits for one. No I/O."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice

YOURS, YOURS_AND_WANTED = -1, -2
"""Redis's answers for a lease that is ours; any other is how many ms to wait at most."""

MAX_KEYS_PER_CALL = 1_000
MAX_HOLDERS_PER_TURN = 400
MAX_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class LockTimes:
    """How long each thing about a lease takes at most, in seconds."""

    ttl_s: float = 2.0
    """A lease ends this long after it was last renewed: the longest a killed process delays
    others."""
    handover_s: float = 0.5
    """Within this the next process must confirm a lease that was handed to it."""
    gather_s: float = 0.002
    """The pause after each call to Redis, in which more gathers for the next one."""
    sweep_s: float = 0.02
    """A lease unused for one whole interval is given back: after 20 to 40 ms."""
    recheck_s: float = 0.5
    """A wanted lease is asked for again after this, in case a notification was missed."""
    patience_s: float = 3.0
    """Who has waited this long goes on without a lease."""
    call_s: float = 0.25
    """The deadline of each call to Redis."""
    retry_s: float = 0.25
    """The pause between two attempts to reach a lost Redis."""


class State(Enum):
    """What this process has of a lease."""

    ABSENT = auto()
    OPEN = auto()
    CLOSING = auto()
    """Ours, and wanted by others: who holds it may end, who comes waits for the next turn."""


class Lease:
    """What this process knows of one wallet's lock."""

    __slots__ = ("ask_at", "asked", "fresh", "hinted", "state", "users", "waiters", "wallet_id")

    def __init__(self, wallet_id: str) -> None:
        self.wallet_id = wallet_id
        self.state = State.ABSENT
        self.users = 0
        self.waiters: deque[tuple[float, asyncio.Future[Lease]]] = deque()
        self.asked = False
        """Redis is being asked for it: its answer decides what comes next."""
        self.hinted = False
        """A notification came while it was asked for."""
        self.fresh = True
        """It was used since the last sweep."""
        self.ask_at = 0.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one call to Redis carries: wallets given back, then leases asked for."""

    gives: Sequence[str]
    asks: Sequence[Lease]


class Leases:
    """The process's own books of its leases; no I/O.

    Every method acts at once on the event loop's thread. What has to go to Redis gathers
    until `next_exchange` takes it; Redis's answers and notifications are reported back.
    """

    def __init__(self, times: LockTimes) -> None:
        self._times = times
        self._leases: dict[str, Lease] = {}
        self._gives: dict[str, None] = {}
        self._asks: deque[Lease] = deque()
        self._work = asyncio.Event()
        self._waiting = 0
        self._suspended = False
        self._no_lease = Lease("")

    def want(self, wallet_ids: Iterable[str]) -> None:
        """Ask, in as few calls as may be, for those that the process does not know."""
        if not self._suspended:
            for wallet_id in wallet_ids:
                self._known(wallet_id)

    def join(self, wallet_id: str) -> Lease | None:
        """Share the lease if the process has it to share."""
        lease = self._leases.get(wallet_id)
        if lease is None or lease.state is not State.OPEN:
            return None
        lease.users += 1
        return lease

    async def wait(self, wallet_id: str) -> Lease:
        """Wait until the lease is had, or there is reason to go on without."""
        if self._suspended or self._waiting >= MAX_WAITING:
            self._no_lease.users += 1
            return self._no_lease
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Lease] = loop.create_future()
        self._known(wallet_id).waiters.append((loop.time(), future))
        self._waiting += 1
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.release(future.result())
            raise
        finally:
            self._waiting -= 1

    def release(self, lease: Lease) -> None:
        lease.users -= 1
        if lease.users == 0:
            lease.fresh = True
            if lease.state is State.CLOSING:
                self._end_turn(lease)

    async def next_exchange(self) -> Exchange:
        """Take what has gathered for Redis, waiting for some.

        A wallet may be given back and asked for again in one exchange, in this order; so
        nothing is asked for while wallets to give back are left over.
        """
        await self._work.wait()
        gives = list(islice(self._gives, MAX_KEYS_PER_CALL))
        for wallet_id in gives:
            del self._gives[wallet_id]
        room = min(len(self._asks), MAX_KEYS_PER_CALL - len(gives))
        asks = [self._asks.popleft() for _ in range(room)]
        if not self.has_work:
            self._work.clear()
        return Exchange(gives, asks)

    @property
    def has_work(self) -> bool:
        """Whether anything has gathered for Redis."""
        return bool(self._gives or self._asks)

    def wake(self) -> None:
        """Let `next_exchange` return, if need be with nothing."""
        self._work.set()

    def answered(self, lease: Lease, answer: int, now: float) -> None:
        """Note what Redis said of a lease that was asked for."""
        lease.asked = False
        hinted, lease.hinted = lease.hinted, False
        if answer >= 0:
            lease.state = State.ABSENT
            lease.ask_at = now + min(answer / 1000, self._times.recheck_s)
            if hinted:
                self._ask(lease)
            return
        lease.ask_at = now + self._times.ttl_s / 3
        if lease.state is not State.CLOSING:
            wanted = hinted or answer == YOURS_AND_WANTED
            lease.state = State.CLOSING if wanted else State.OPEN
            self._admit(lease)
        if lease.state is State.CLOSING and lease.users == 0:
            self._end_turn(lease)

    def look_at(self, wallet_id: str) -> None:
        """Act on a notification: others want this wallet's lease, or it was handed to us.

        Which of the two does not matter and may be out of date. What we have is given up at
        the end of a turn, what we wait for is asked for, what we forgot is given back.
        """
        lease = self._leases.get(wallet_id)
        if lease is None:
            self._give(wallet_id)
        elif lease.asked:
            lease.hinted = True
        elif lease.state is State.ABSENT:
            self._ask(lease)
        elif lease.state is State.OPEN:
            lease.state = State.CLOSING
            if lease.users == 0:
                self._end_turn(lease)

    def sweep(self, now: float) -> int:
        """Give idle leases back, ask where it is time to; returns how many lost patience."""
        impatient = 0
        for lease in list(self._leases.values()):
            if lease.waiters:
                impatient += self._let_go(lease, now - self._times.patience_s)
            if lease.asked:
                continue
            if not lease.users and not lease.waiters:
                if not lease.fresh:
                    self._drop(lease)
                    continue
                lease.fresh = False
            if now >= lease.ask_at:
                self._ask(lease)
        return impatient

    def suspend(self) -> None:
        """Let everybody go on without leases, until `resume`; what we had is to be given back."""
        self._suspended = True
        for lease in self._leases.values():
            lease.state = State.ABSENT
            self._let_go(lease, float("inf"))
            self._give(lease.wallet_id)
        self._leases.clear()
        self._asks.clear()

    def resume(self) -> None:
        self._suspended = False

    def _known(self, wallet_id: str) -> Lease:
        lease = self._leases.get(wallet_id)
        if lease is None:
            lease = self._leases[wallet_id] = Lease(wallet_id)
            self._ask(lease)
        return lease

    def _ask(self, lease: Lease) -> None:
        lease.asked = True
        self._asks.append(lease)
        self._work.set()

    def _give(self, wallet_id: str) -> None:
        self._gives[wallet_id] = None
        self._work.set()

    def _drop(self, lease: Lease) -> None:
        del self._leases[lease.wallet_id]
        self._give(lease.wallet_id)

    def _admit(self, lease: Lease) -> None:
        """Grant a lease that is ours: to all if nobody else wants it, else to one turn."""
        places = MAX_HOLDERS_PER_TURN if lease.state is State.CLOSING else len(lease.waiters)
        while lease.waiters and places:
            _, future = lease.waiters.popleft()
            places -= _grant(future, lease)

    def _let_go(self, lease: Lease, since: float) -> int:
        """Let those who have waited since `since` go on without a lease; returns how many."""
        count = 0
        while lease.waiters:
            came_at, future = lease.waiters[0]
            if came_at > since and not future.done():
                break
            lease.waiters.popleft()
            count += _grant(future, self._no_lease)
        return count

    def _end_turn(self, lease: Lease) -> None:
        if lease.asked:
            return  # The answer that is under way ends the turn.
        lease.state = State.ABSENT
        if lease.waiters:
            self._give(lease.wallet_id)
            self._ask(lease)
        else:
            self._drop(lease)


def _grant(future: asyncio.Future[Lease], lease: Lease) -> bool:
    if future.done():  # Its waiter was cancelled.
        return False
    lease.users += 1
    future.set_result(lease)
    return True
