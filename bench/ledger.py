"""The ledger by itself, in this process: batches of plans through its real core and store."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import psutil

from shared.idempotency import digest
from shared.process import collect_seldom
from shared.telemetry import NoMetrics
from wallet_service.decide.model import Transaction
from wallet_service.decide.plan import (
    HOUSE,
    WALLET,
    AccountKey,
    CaptureHold,
    Leg,
    LotTerms,
    OpenHold,
    Plan,
)
from wallet_service.directory import Directory
from wallet_service.ledger import Ledger
from wallet_service.models.registry import MODELS
from wallet_service.store import connections

BATCH = 200
IN_FLIGHT = 4
"""Batches that wait or are under way: two may be, so that none waits for the next one's plans."""

SLICE = 40
"""Batches that are made and then posted at a time."""

Plans = Callable[[int], list[Plan]]
"""Makes so many plans."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What a run came to."""

    plans_per_s: float
    own_cpu_us: float
    """Processor time of this process for each plan."""
    postgres_cpu_us: float
    """Processor time of the connections' backends for each plan."""


@asynccontextmanager
async def open_ledger(url: str) -> AsyncIterator[Ledger]:
    collect_seldom()  # As every service does.
    async with (
        await connections.open_pool(url, 2) as posting,
        await connections.open_pool(url, 1) as reading,
    ):
        yield Ledger(
            connections.Pools(posting, reading),
            Directory(MODELS),
            [0, 1],
            NoMetrics(),
            max_batch=BATCH,
        )


async def run(ledger: Ledger, make: Plans, seconds: float) -> Pace:
    """Post for so long; every plan must be accepted.

    Plans are made slice by slice, off the clock: few at a time, as a server would hold them.
    """
    await _post(ledger, [_groups(make(BATCH)) for _ in range(IN_FLIGHT)])
    clock = _Clock()
    while clock.seconds < seconds:
        batches = [_groups(make(BATCH)) for _ in range(SLICE)]
        with clock.running(SLICE * BATCH):
            await _post(ledger, batches)
    return clock.pace()


def _groups(plans: Sequence[Plan]) -> list[tuple[Plan]]:
    return [(plan,) for plan in plans]


async def _post(ledger: Ledger, batches: list[list[tuple[Plan]]]) -> None:
    await asyncio.gather(*(_feed(ledger, batches) for _ in range(IN_FLIGHT)))


async def _feed(ledger: Ledger, batches: list[list[tuple[Plan]]]) -> None:
    while batches:
        answers = await ledger.post_groups(batches.pop())
        refused = [each for (each,) in answers if not isinstance(each, Transaction)]
        if refused:
            raise ValueError(f"a plan was refused: {refused[0]}")


class _Clock:
    """Adds up time on the wall, and on the processors of this process and of Postgres."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._plans = 0
        self._own_s = 0.0
        self._postgres_s = 0.0

    @contextmanager
    def running(self, plans: int) -> Iterator[None]:
        """Count what happens inside, for so many plans."""
        started, own_s, postgres_s = time.perf_counter(), time.process_time(), _postgres_s()
        yield
        self._plans += plans
        self.seconds += time.perf_counter() - started
        self._own_s += time.process_time() - own_s
        self._postgres_s += _postgres_s() - postgres_s

    def pace(self) -> Pace:
        own_us, postgres_us = (each / self._plans * 1e6 for each in (self._own_s, self._postgres_s))
        return Pace(self._plans / self.seconds, own_us, postgres_us)


def _postgres_s() -> float:
    each = (each.cpu_times() for each in psutil.process_iter() if "postgres" in each.name())
    return sum(times.user + times.system for times in each)


class Traffic:
    """Makes plans on wallets that all have plenty of IDR; each request id once.

    Lots are opened on one wallet in ten, which only mixed traffic uses: they pile up there, and the
    other figures would grow worse from round to round.
    """

    def __init__(self, wallet_ids: Sequence[int], seed: int) -> None:
        self._wallet_ids = wallet_ids
        tenth = len(wallet_ids) // 10
        self._plain_ids, self._lot_ids = wallet_ids[tenth:], wallet_ids[:tenth]
        self._chance = random.Random(seed)  # noqa: S311 (no secret)
        self._name = f"{seed}-{time.time_ns()}"
        self._numbers = itertools.count()

    def uniform(self, count: int) -> list[Plan]:
        """Transfers between any two without lots."""
        pairs = (self._chance.sample(self._plain_ids, 2) for _ in range(count))
        return [self._transfer(source, target) for source, target in pairs]

    def hot(self, count: int) -> list[Plan]:
        """Transfers that all have one wallet as their source."""
        hot, *others = self._plain_ids
        return [self._transfer(hot, self._chance.choice(others)) for _ in range(count)]

    def mixed(self, count: int) -> list[Plan]:
        """Usages, transfers, bookings, and top-ups, a part of them lots of one wallet in ten."""
        make = self._chance.choices(
            [self._usage, self._any_transfer, self._booking, self._top_up, self._lot],
            weights=[50, 20, 15, 10, 5],
            k=count,
        )
        return [each() for each in make]

    def _any_transfer(self) -> Plan:
        source, target = self._chance.sample(self._wallet_ids, 2)
        return self._transfer(source, target)

    def _transfer(self, source: int, target: int) -> Plan:
        legs = Leg(_wallet(source), 1), Leg(_wallet(target), -1)
        return self._plan("TRANSFER", source, legs)

    def _usage(self) -> Plan:
        wallet = self._chance.choice(self._wallet_ids)
        legs = Leg(_wallet(wallet), 5), Leg(_house("REVENUE"), -5)
        return self._plan("USAGE", wallet, legs)

    def _booking(self) -> Plan:
        wallet = self._chance.choice(self._wallet_ids)
        return self._plan("BOOKING", wallet, (), hold=OpenHold(_wallet(wallet), 5))

    def _top_up(self) -> Plan:
        wallet = self._chance.choice(self._wallet_ids)
        legs = Leg(_house("FUNDING"), 50), Leg(_wallet(wallet), -50)
        return self._plan("TOP_UP", wallet, legs)

    def _lot(self) -> Plan:
        wallet = self._chance.choice(self._lot_ids)
        legs = Leg(_house("FUNDING"), 5), Leg(_wallet(wallet), -5)
        return self._plan("TOP_UP", wallet, legs, lot=LotTerms("BONUS", 10, None))

    def _plan(
        self,
        kind: str,
        wallet_id: int,
        legs: tuple[Leg, ...],
        hold: OpenHold | CaptureHold | None = None,
        lot: LotTerms | None = None,
    ) -> Plan:
        request_id = f"{self._name}-{next(self._numbers)}"
        request_digest = digest(request_id.encode())
        return Plan(
            request_id=request_id,
            request_digest=request_digest,
            body_digest=request_digest,
            kind=kind,
            wallet_id=wallet_id,
            legs=legs,
            hold=hold,
            effective_at=None,
            reference="",
            metadata_json="{}",
            price_book_version="",
            charges_json="[]",
            event=b"an event of some hundred bytes".ljust(200) if legs else None,
            traceparent="",
            validate_only=False,
            lot=lot,
        )


def _wallet(wallet_id: int) -> AccountKey:
    return AccountKey(wallet_id, WALLET, "IDR")


def _house(account_type: str) -> AccountKey:
    return AccountKey(HOUSE, account_type, "IDR")
