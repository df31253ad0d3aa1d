"""Publishers for tests, and what they need around them."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
from google.pubsub_v1.types import PubsubMessage
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from privy.wallet.v1 import feed_pb2_grpc

from shared.telemetry import NoMetrics, PassOnTracing
from tests.event_servers import EventServers, Project
from transaction_service.publisher import app
from transaction_service.publisher.settings import PublisherSettings


@asynccontextmanager
async def serving(feed: feed_pb2_grpc.EventFeedServiceServicer) -> AsyncIterator[str]:
    """Serve `feed` as a wallet that is well; yield its address."""
    server = grpc.aio.server()
    feed_pb2_grpc.add_EventFeedServiceServicer_to_server(feed, server)
    well = health.aio.HealthServicer()
    await well.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(well, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@asynccontextmanager
async def publishing(settings: PublisherSettings) -> AsyncIterator[None]:
    """Run a publisher in this process, and have it end gracefully."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(app.run(settings, NoMetrics(), PassOnTracing(), stop))
        try:
            yield
        finally:
            stop.set()


def settings_of(servers: EventServers, pubsub: Project, wallet_target: str) -> PublisherSettings:
    return PublisherSettings(
        publisher_listen=f"127.0.0.1:{servers.ports.take()}",
        wallet_target=wallet_target,
        google_cloud_project=pubsub.name,
        pubsub_emulator_host=servers.environment["PUBSUB_EMULATOR_HOST"],
    )


def ids_by_wallet(messages: Sequence[PubsubMessage]) -> dict[str, list[str]]:
    """Answer the event ids of each wallet, in order of first arrival."""
    ids: dict[str, dict[str, None]] = defaultdict(dict)
    for each in messages:
        ids[each.ordering_key][each.attributes["ce-id"]] = None
    return {wallet_id: list(seen) for wallet_id, seen in ids.items()}
