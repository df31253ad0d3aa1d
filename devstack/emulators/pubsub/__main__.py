"""Run the Pub/Sub stand-in: `python -m devstack.emulators.pubsub --listen HOST:PORT`."""

import asyncio

from devstack.emulators.clock import Clock, steady_clock
from devstack.emulators.pubsub.broker import Broker
from devstack.emulators.pubsub.service import services
from devstack.emulators.serving import run_server, serving

# Leases and backoffs end at most this much late.
_TICK_S = 0.05


async def main(listen: str, stop: asyncio.Event) -> None:
    broker, clock = Broker(), steady_clock()
    async with serving(listen, services(broker, clock)), asyncio.TaskGroup() as group:
        ticking = group.create_task(_tick(broker, clock))
        await stop.wait()
        ticking.cancel()
        broker.close()


async def _tick(broker: Broker, clock: Clock) -> None:
    while True:
        broker.advance(clock())
        await asyncio.sleep(_TICK_S)


run_server("A small Pub/Sub for development and tests.", main)
