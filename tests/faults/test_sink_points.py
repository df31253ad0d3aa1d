"""Sinks that die at each step of their loop: every event counts once, or is a dead letter."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from google.pubsub_v1.types import PubsubMessage

from tests.event_servers import Documents, EventServers, Project, project
from tests.faults.processes import die
from tests.finance_events import event_attributes, finance_event
from tests.finance_sums import aggregates_sums, documents_sums
from tests.sinks import sinking
from transaction_service.erp_sink.settings import SinkSettings

PATIENCE_S, POLL_S = 60, 0.5

WRITTEN = {
    "received": False,
    "buried": False,
    "committing": True,
    "in-commit": True,
    "committed": True,
    "acknowledging": False,
    "acknowledged": False,
}
"""Points of the sink's loop, and whether it has surely acknowledged nothing before."""

GOOD = {f"txn_{number}" for number in range(100)}
POISON = PubsubMessage(
    data=b"\xff", attributes=event_attributes(finance_event("txn_poison")), ordering_key="wal_1"
)


@pytest.mark.timeout(180)
async def test_a_killed_sinks_events_are_written_by_the_next(servers: EventServers) -> None:
    """At whichever point it died: each good event is one document, the poison one a dead letter.

    Profit and loss is the sum of the documents. Each point has a project of its own, so that all
    wait for their redelivery at once.
    """
    await servers.start("pubsub")
    await servers.start("firestore")
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        for point, unacknowledged in WRITTEN.items():
            opened = project(servers.environment["PUBSUB_EMULATOR_HOST"])
            pubsub = await stack.enter_async_context(opened)
            await pubsub.publish(POISON, *map(_message, GOOD))
            await die(servers, "sink", point, {"GOOGLE_CLOUD_PROJECT": pubsub.name})
            redelivered = len(GOOD) if unacknowledged else 0
            tasks.create_task(_next_sink_writes_all(servers, pubsub, redelivered))


async def _next_sink_writes_all(servers: EventServers, pubsub: Project, redelivered: int) -> None:
    """Run a sink until it got so many good events, and every event is where it belongs."""
    settings = _sink_settings(servers, pubsub)
    collection = settings.firestore_collection

    async def is_done() -> bool:
        got_all = counts["deliveries_written"] >= redelivered
        return got_all and (await _all_in(settings, collection)).keys() == GOOD

    async with sinking(settings) as counts:
        async with asyncio.timeout(PATIENCE_S):
            while not await is_done():  # noqa: ASYNC110 (it happens in other processes)
                await asyncio.sleep(POLL_S)
        letters = await pubsub.take(pubsub.topology.dead_letter_subscription, 1)
    assert {each.attributes["ce-id"] for each in letters} == {"txn_poison"}
    documents = await _all_in(settings, collection)
    aggregates = await _all_in(settings, settings.aggregates_collection)
    assert aggregates_sums(aggregates.values()) == documents_sums(documents.values())


def _sink_settings(servers: EventServers, pubsub: Project) -> SinkSettings:
    return SinkSettings(
        sink_listen=f"127.0.0.1:{servers.ports.take()}",
        google_cloud_project=pubsub.name,
        pubsub_emulator_host=servers.environment["PUBSUB_EMULATOR_HOST"],
        firestore_emulator_host=servers.environment["FIRESTORE_EMULATOR_HOST"],
    )


async def _all_in(settings: SinkSettings, collection: str) -> dict[str, Any]:
    documents = Documents(
        settings.firestore_emulator_host, settings.google_cloud_project, collection
    )
    found = await documents.all()
    await documents.close()
    return found


def _message(transaction_id: str) -> PubsubMessage:
    event = finance_event(transaction_id)
    return PubsubMessage(
        data=event.SerializeToString(), attributes=event_attributes(event), ordering_key="wal_1"
    )
