"""`python -m tests.faults.stricken ROLE POINT`: a publisher or sink that fails at a step.

It is the real process, but for one call that is surrounded: at that call it kills itself, as
`kill -9` would, or stands still until it gets SIGCONT. The product has no hooks for this.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, NoReturn

from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.pubsub_v1 import SubscriberAsyncClient

from shared import process
from transaction_service.erp_sink import app as sink
from transaction_service.erp_sink.dead_letters import DeadLetters
from transaction_service.publisher import app as publisher
from transaction_service.publisher.feed import Feed
from transaction_service.publisher.sending import Sender

MOMENT_S = 0.002

Call = Callable[..., Awaitable[Any]]
Surrounding = Callable[[Call], Call]


@dataclass(frozen=True, slots=True)
class Point:
    """The `count`th call of a method, and how it ends."""

    owner: type
    method: str
    surround: Surrounding
    count: int = 1


def pause_before(call: Call) -> Call:
    """Stand still before the call, for as long as others want."""

    async def pausing(*arguments: Any, **named: Any) -> Any:
        os.kill(os.getpid(), signal.SIGSTOP)
        return await call(*arguments, **named)

    return pausing


def before(_: Call) -> Call:
    """Die instead of the call."""

    async def dying(*_: Any, **__: Any) -> NoReturn:
        die()

    return dying


def during(call: Call) -> Call:
    """Die a moment after the call began: nobody knows whether it arrived."""

    async def dying(*arguments: Any, **named: Any) -> NoReturn:
        calling = asyncio.ensure_future(call(*arguments, **named))
        await asyncio.wait([calling], timeout=MOMENT_S)
        die()

    return dying


def after(call: Call) -> Call:
    """Die once the call was answered."""

    async def dying(*arguments: Any, **named: Any) -> NoReturn:
        await call(*arguments, **named)
        die()

    return dying


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody survives that")


PUBLISHER: Mapping[str, Point] = {
    "paused": Point(Sender, "send", pause_before),
    "pulled": Point(Sender, "send", before),
    "publishing": Point(Sender, "send", during),
    "half-published": Point(Sender, "send", after, count=10),
    "published": Point(Feed, "acknowledge", before),
    "acknowledging": Point(Feed, "acknowledge", during),
    "acknowledged": Point(Feed, "acknowledge", after),
}
SINK: Mapping[str, Point] = {
    "received": Point(DeadLetters, "publish", before),
    "buried": Point(DeadLetters, "publish", after),
    "committing": Point(FirestoreAsyncClient, "commit", before),
    "in-commit": Point(FirestoreAsyncClient, "commit", during),
    "committed": Point(FirestoreAsyncClient, "commit", after),
    "acknowledging": Point(SubscriberAsyncClient, "acknowledge", during),
    "acknowledged": Point(SubscriberAsyncClient, "acknowledge", after),
}


def set_up(point: Point) -> None:
    """Surround the method's `count`th call."""
    call: Call = getattr(point.owner, point.method)
    calls = iter([*[call] * (point.count - 1), point.surround(call)])

    @wraps(call)
    async def surrounded(*arguments: Any, **named: Any) -> Any:
        return await next(calls, call)(*arguments, **named)

    setattr(point.owner, point.method, surrounded)


if __name__ == "__main__":
    role, name = sys.argv[1:]
    points, main = {"publisher": (PUBLISHER, publisher.main), "sink": (SINK, sink.main)}[role]
    set_up(points[name])
    process.run(main)
