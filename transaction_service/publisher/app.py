"""Composition: the only place of the publisher that builds clients."""

import asyncio
import time
import uuid
from functools import partial

from google.api_core.retry import exponential_sleep_generator

from shared import rpc_client
from shared.finance_settings import topology_of
from shared.health import Health
from shared.process import load_settings
from shared.rpc_edge import Edge
from shared.rpc_server import Services, serve
from shared.telemetry import Metrics, Tracing, build_metrics, build_tracing, configure_logging
from transaction_service.chart_of_accounts import load_chart
from transaction_service.publisher.feed import CALL_TIMEOUT_S, Feed
from transaction_service.publisher.lag import Lag
from transaction_service.publisher.relay import Relay
from transaction_service.publisher.settings import PublisherSettings
from transaction_service.publisher.topic import Topic
from transaction_service.topology import open_pubsub


async def main(stop: asyncio.Event) -> None:
    """Run as the environment says until `stop` is set."""
    settings = load_settings(PublisherSettings)
    configure_logging(settings, "publisher")
    metrics, tracing = build_metrics(settings, "publisher"), build_tracing(settings, "publisher")
    await run(settings, metrics, tracing, stop)


async def run(
    settings: PublisherSettings, metrics: Metrics, tracing: Tracing, stop: asyncio.Event
) -> None:
    """Publish, and serve health, until `stop` is set and the round under way is done."""
    chart = load_chart(settings.chart_of_accounts_file)
    async with (
        rpc_client.open_channel(settings.wallet_target, CALL_TIMEOUT_S) as channel,
        open_pubsub(settings.pubsub_emulator_host) as pubsub,
        asyncio.TaskGroup() as tasks,
    ):
        topic = Topic(topology_of(settings), pubsub, chart)
        feed = Feed(channel, consumer_id=f"publisher-{uuid.uuid4().hex}")
        backoff = partial(exponential_sleep_generator, initial=0.1, maximum=4.0)
        relay = Relay(feed, topic, backoff, metrics)
        health = Health(
            {
                "wallet": partial(rpc_client.probe, channel),
                "pubsub": topic.probe,
                "feed_lag": Lag(feed, time.time, metrics).probe,
            },
            required=("wallet", "pubsub"),
        )
        edge = Edge(tracing, metrics)
        tasks.create_task(relay.run(stop))
        tasks.create_task(serve(settings.publisher_listen, Services(), health, edge, stop))
