"""Run the Firestore stand-in: `python -m devstack.emulators.firestore --listen HOST:PORT`."""

import asyncio

from devstack.emulators.clock import steady_clock
from devstack.emulators.firestore.service import services
from devstack.emulators.firestore.store import Store
from devstack.emulators.serving import run_server, serving


async def main(listen: str, stop: asyncio.Event) -> None:
    async with serving(listen, services(Store(), steady_clock())):
        await stop.wait()


run_server("A small Firestore for development and tests.", main)
