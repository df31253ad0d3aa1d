"""Two ways to put a load on a service: always so many calls under way, or so many each second."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import cycle

from bench.load.connection import Answer, Connection
from bench.load.order import Order, Outcome
from bench.load.tally import Tally
from bench.load.traffic import KINDS, Kind, Traffic

_TICK_S = 0.001
_CONNECT_S = 10.0
_LAST_ANSWERS_S = 10.0
_MAX_UNDER_WAY = 20_000


class Drive:
    """A run: it starts calls, and counts those that belong to the time that is measured.

    A paced call belongs to when it was due, and is waited for; an endless one, of which each
    answer sets off the next, to when it was answered.
    """

    def __init__(self, kind: Kind, traffic: Traffic, *, endless: bool) -> None:
        self.tally = Tally()
        self.accepted = 0
        """Actions that were accepted within the time, whenever they were due."""
        self.unsent = 0
        self.under_way = 0
        self._kind = kind
        self._traffic = traffic
        self._endless = endless
        self._all_answered: asyncio.Future[None] | None = None
        self._measured = (float("inf"), float("inf"))

    def measure(self, begin: float, end: float) -> None:
        self._measured = (begin, end)

    async def drain(self) -> None:
        """Start no calls any more, and return when all are answered."""
        self._all_answered = asyncio.get_running_loop().create_future()
        if self.under_way:
            await self._all_answered

    def start(self, connection: Connection, due_at: float) -> None:
        """Start a call that is due then, unless too many are under way."""
        if self.under_way >= _MAX_UNDER_WAY:
            self.unsent += self._belongs(due_at)
            return
        self.under_way += 1
        connection.send(self._traffic.call(), due_at)

    def answered(self, connection: Connection, answer: Answer) -> None:
        self.under_way -= 1
        status = answer.ending.status
        accepted = self._traffic.accepted(answer) if status == "OK" else 0
        if status == "OK" and accepted < self._kind.actions_per_call:
            status = "PARTLY_REFUSED"
        in_time = self._belongs(answer.due_at + answer.seconds)
        if in_time:
            self.accepted += accepted
        if in_time if self._endless else self._belongs(answer.due_at):
            self.tally.count(status, answer)
        if self._all_answered is None:
            if self._endless:
                self.start(connection, time.perf_counter())
        elif not self.under_way and not self._all_answered.done():
            self._all_answered.set_result(None)

    def _belongs(self, moment: float) -> bool:
        begin, end = self._measured
        return begin <= moment < end


async def run(order: Order, begun: Callable[[], None]) -> Outcome:
    """Do as ordered; `begun` is called when the warm-up is over.

    Raises ProtocolError, or ConnectionError where a connection is lost.
    """
    kind = KINDS[order.kind]
    traffic = kind.make(order.target, order.wallet_ids)
    drive = Drive(kind, traffic, endless=not order.per_second)
    connections = [await _connect(order.target, drive) for _ in range(order.connections)]
    running = asyncio.ensure_future(_run(order, drive, connections, begun))
    for each in connections:
        each.ended.add_done_callback(lambda _: running.cancel())
    try:
        return await running
    except asyncio.CancelledError:
        for each in connections:
            if each.ended.done():
                each.ended.result()
        raise
    finally:
        for each in connections:
            each.close()


async def _connect(target: str, drive: Drive) -> Connection:
    host, _, port = target.rpartition(":")
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_CONNECT_S):
        _, connection = await loop.create_connection(
            lambda: Connection(drive.answered), host, int(port)
        )
        await connection.ready
    return connection


async def _run(
    order: Order, drive: Drive, connections: Sequence[Connection], begun: Callable[[], None]
) -> Outcome:
    begin = time.perf_counter() + order.warmup_seconds
    drive.measure(begin, begin + order.seconds)
    pacing = asyncio.ensure_future(_start(order, drive, connections))
    try:
        await asyncio.sleep(order.warmup_seconds)
        begun()
        cpu_s = time.process_time()
        await asyncio.sleep(order.seconds)
        cpu_s = time.process_time() - cpu_s
    finally:
        pacing.cancel()
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAST_ANSWERS_S):
            await drive.drain()
    return _outcome(order.seconds, drive, cpu_s)


async def _start(order: Order, drive: Drive, connections: Sequence[Connection]) -> None:
    """Start all calls that are always under way, or each when it is due, until cancelled."""
    if order.per_second:
        await _pace(order.per_second, drive, connections)
        return
    now = time.perf_counter()
    for _, connection in zip(range(order.in_flight), cycle(connections), strict=False):
        drive.start(connection, now)
    for connection in connections:
        connection.flush()


async def _pace(per_second: float, drive: Drive, connections: Sequence[Connection]) -> None:
    turns = cycle(connections)
    started_at, count = time.perf_counter(), 0
    while True:
        due = int((time.perf_counter() - started_at) * per_second)
        for number in range(count, due):
            drive.start(next(turns), started_at + number / per_second)
        for connection in connections:
            connection.flush()
        count = due
        await asyncio.sleep(_TICK_S)


def _outcome(seconds: float, drive: Drive, cpu_s: float) -> Outcome:
    tally = drive.tally
    return Outcome(
        actions=drive.accepted,
        seconds=seconds,
        statuses=dict(tally.statuses),
        latency_ms=tally.latency_ms(),
        own_cpu_s=cpu_s,
        unsent=drive.unsent,
        unanswered=drive.under_way,
        said=tally.said,
    )
