"""`python -m bench.null_sink COUNT`: receives as the ERP sink does, and only acknowledges."""

import asyncio
import sys
import uuid
from functools import partial

import uvloop
from google.api_core.retry import exponential_sleep_generator

from shared.finance_settings import TopologySettings, topology_of
from transaction_service.erp_sink.delivery import Delivery
from transaction_service.erp_sink.leases import Leases
from transaction_service.erp_sink.stream import QUEUE_SIZE, Stream
from transaction_service.topology import ensure_topology, open_pubsub

_AT_A_TIME = 500


async def run(count: int) -> None:
    """Acknowledge so many deliveries."""
    settings = TopologySettings()
    topology = topology_of(settings)
    queue: asyncio.Queue[Delivery] = asyncio.Queue(QUEUE_SIZE)
    async with open_pubsub(settings.pubsub_emulator_host) as pubsub:
        leases = Leases(pubsub.subscriber, topology.events_subscription)
        stream = Stream(
            pubsub.subscriber,
            topology.events_subscription,
            client_id=uuid.uuid4().hex,
            prepare=partial(ensure_topology, topology, pubsub),
            backoff=partial(exponential_sleep_generator, initial=0.1, maximum=5.0),
        )
        receiving = asyncio.create_task(stream.receive(leases, queue))
        while count > 0:
            taken = await _take(queue)
            await leases.acknowledge([each.ack_id for each in taken])
            count -= len(taken)
        receiving.cancel()
        await asyncio.wait([receiving])


async def _take(queue: asyncio.Queue[Delivery]) -> list[Delivery]:
    taken = [await queue.get()]
    while len(taken) < _AT_A_TIME and not queue.empty():
        taken.append(queue.get_nowait())
    return taken


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1])))
