"""Composition: the only place of the sink that builds clients."""

import asyncio
import itertools
import random
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import grpc
from google.api_core.retry import exponential_sleep_generator
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport

from shared.finance_settings import topology_of
from shared.health import Health
from shared.process import load_settings
from shared.rpc_edge import Edge
from shared.rpc_server import Services, serve
from shared.telemetry import Metrics, Tracing, build_metrics, build_tracing, configure_logging
from transaction_service.chart_of_accounts import load_chart
from transaction_service.erp_sink.aggregates import SHARDS
from transaction_service.erp_sink.dead_letters import DeadLetters
from transaction_service.erp_sink.delivery import Delivery
from transaction_service.erp_sink.leases import Leases
from transaction_service.erp_sink.settings import SinkSettings
from transaction_service.erp_sink.store import Store
from transaction_service.erp_sink.stream import QUEUE_SIZE, Stream
from transaction_service.erp_sink.writer import Writer
from transaction_service.erp_sink.writing import write_once
from transaction_service.topology import (
    EMULATOR_CHANNEL,
    ensure_topology,
    open_pubsub,
)

# One writes while another waits for Firestore.
WRITERS = 4
DRAIN_S = 10.0
LET_GO_S = 5.0


async def main(stop: asyncio.Event) -> None:
    """Run as the environment says until `stop` is set."""
    settings = load_settings(SinkSettings)
    configure_logging(settings, "sink")
    metrics, tracing = build_metrics(settings, "sink"), build_tracing(settings, "sink")
    await run(settings, metrics, tracing, stop)


async def run(
    settings: SinkSettings, metrics: Metrics, tracing: Tracing, stop: asyncio.Event
) -> None:
    """Write events, and serve health, until `stop` is set and what was received is written."""
    topology = topology_of(settings)
    account_codes = load_chart(settings.chart_of_accounts_file).codes()
    backoff = partial(exponential_sleep_generator, initial=0.1, maximum=5.0)
    async with (
        open_pubsub(settings.pubsub_emulator_host) as pubsub,
        _open_firestore(settings.firestore_emulator_host) as firestore,
        asyncio.TaskGroup() as tasks,
    ):
        stores = _stores(settings, firestore)
        leases = Leases(pubsub.subscriber, topology.events_subscription)
        stream = Stream(
            pubsub.subscriber,
            topology.events_subscription,
            client_id=uuid.uuid4().hex,
            prepare=partial(ensure_topology, topology, pubsub),
            backoff=backoff,
        )
        dead_letters = DeadLetters(
            pubsub.publisher, topology.dead_letter_topic, partial(datetime.now, UTC)
        )
        writers = [
            Writer(
                partial(write_once, store, backoff=backoff, metrics=metrics),
                dead_letters,
                leases,
                account_codes,
                metrics,
            )
            for store in stores
        ]
        health = Health(
            {"pubsub": stream.probe, "firestore": stores[0].probe}, required=("pubsub", "firestore")
        )
        edge = Edge(tracing, metrics)
        tasks.create_task(_work(stream, leases, writers, stop))
        tasks.create_task(serve(settings.sink_listen, Services(), health, edge, stop))


def _stores(settings: SinkSettings, client: FirestoreAsyncClient) -> Sequence[Store]:
    """Make the store of each writer; all take shards from one row, in an order of this process.

    Which shard is no matter of safety: sums are the same, in whichever they are kept.
    """
    shards = itertools.cycle(random.sample(range(SHARDS), SHARDS))
    return [
        Store(
            client,
            settings.google_cloud_project,
            settings.firestore_collection,
            settings.aggregates_collection,
            shards,
        )
        for _ in range(WRITERS)
    ]


async def _work(
    stream: Stream, leases: Leases, writers: Sequence[Writer], stop: asyncio.Event
) -> None:
    """Receive and write until `stop`; then write what was received, and let the rest go."""
    queue: asyncio.Queue[Delivery] = asyncio.Queue(QUEUE_SIZE)
    async with asyncio.TaskGroup() as tasks:
        receiving = tasks.create_task(stream.receive(leases, queue))
        writing = [tasks.create_task(each.run(queue)) for each in writers]
        keeping = tasks.create_task(leases.keep())
        await stop.wait()
        receiving.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await queue.join()
        for each in (*writing, keeping):
            each.cancel()
    with suppress(TimeoutError):
        async with asyncio.timeout(LET_GO_S):
            await leases.let_all_go()


def _open_firestore(emulator_host: str) -> FirestoreAsyncClient:
    if not emulator_host:
        return FirestoreAsyncClient()
    channel = grpc.aio.insecure_channel(emulator_host, options=EMULATOR_CHANNEL)
    return FirestoreAsyncClient(transport=FirestoreGrpcAsyncIOTransport(channel=channel))
