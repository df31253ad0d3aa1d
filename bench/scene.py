"""The product on a stack of its own, with wallets that have plenty; both engines side by side."""

import os
import signal
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from bench import loading
from bench.load.order import Order
from bench.measuring import Measured, measure
from devstack.children import Children, base_environment
from devstack.emulators import BUILT_IN
from devstack.folder import temporary_folder
from devstack.stack import Stack, start_stack

_SHARED = ("postgres", "valkey")
EVENTS = ("publisher", "sink", "pubsub", "firestore")


@dataclass(frozen=True, slots=True)
class Front:
    """A front door to load: where it is, and the processes that answer for it."""

    target: str
    pids: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Scene:
    children: Children
    stack: Stack
    fronts: Mapping[str, Front]
    """By engine."""
    wallet_ids: range

    @property
    def fastest(self) -> Front:
        """The front door of the engine that is there for speed."""
        return self.fronts["native"]

    @property
    def postgres(self) -> str:
        """Where its Postgres is (`host:port`)."""
        return urlsplit(self.stack.environment["WALLET_DATABASE_URL"]).netloc.rpartition("@")[2]

    async def measure(  # noqa: PLR0913 (what a run is)
        self,
        front: Front,
        kind: str,
        in_flight: int,
        seconds: float,
        *,
        warmup_seconds: float = 1,
        beside: Iterable[str] = (),
    ) -> Measured:
        """Keep so many calls under way, and watch parts of the stack that are `beside` the road."""
        order = replace(
            self._order(front, kind, seconds), in_flight=in_flight, warmup_seconds=warmup_seconds
        )
        return await measure(
            order, {**front.pids, **{name: self.stack.pid(name) for name in beside}}
        )

    async def another(self) -> Front:
        """Start a second Wallet and a second front door of the fastest, on the same servers."""
        return await _native(self.stack, "-native-2")

    async def pace(self, front: Front, kind: str, per_second: float, seconds: float) -> Measured:
        """Start so many calls in each second, whatever becomes of others."""
        order = replace(self._order(front, kind, seconds), per_second=per_second)
        return await measure(order, front.pids)

    def _order(self, front: Front, kind: str, seconds: float) -> Order:
        first, count = self.wallet_ids.start, len(self.wallet_ids)
        return Order(front.target, kind, first, count, seconds)


@asynccontextmanager
async def open_scene(wallets: int, *, events: bool) -> AsyncIterator[Scene]:
    """Start a stack with our own emulators, and end it.

    Without `events` publisher and sink are stopped: what is committed stays in the outbox.
    """
    with Children(temporary_folder(), base_environment(os.environ)) as children:
        stack = await start_stack(children, lambda _: None, emulators=BUILT_IN)
        if not events:
            for name in EVENTS:
                await stack.end(name, signal.SIGTERM)
        owner_url = stack.environment["WALLET_OWNER_DATABASE_URL"]
        wallet_ids = await loading.load(owner_url, wallets, 0)
        yield Scene(children, stack, await _fronts(stack), _whole(wallet_ids))


async def _fronts(stack: Stack) -> Mapping[str, Front]:
    """Start services of the native engine beside those that the stack has, on the same servers."""
    return {
        "grpcio": _front(stack, stack.environment["TRANSACTION_TARGET"], ""),
        "native": await _native(stack, "-native"),
    }


async def _native(stack: Stack, suffix: str) -> Front:
    wallet = await stack.add(f"wallet{suffix}", "wallet", RPC_ENGINE="native")
    transaction = await stack.add(
        f"transaction{suffix}", "transaction", RPC_ENGINE="native", WALLET_TARGET=wallet
    )
    return _front(stack, transaction, suffix)


def _front(stack: Stack, target: str, suffix: str) -> Front:
    services = {name: stack.pid(f"{name}{suffix}") for name in ("transaction", "wallet")}
    return Front(target, {**services, **{name: stack.pid(name) for name in _SHARED}})


def _whole(wallet_ids: list[int]) -> range:
    whole = range(wallet_ids[0], wallet_ids[-1] + 1)
    if len(whole) != len(wallet_ids):
        raise ValueError("the wallets of a new database are not numbered in a row")
    return whole
