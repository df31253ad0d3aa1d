"""What may go wrong around the sink, on both kinds of emulator: at the end everything is there.

Each test ends with every document once, and the aggregates as the documents sum up.
"""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
import pytest
from google.api_core.exceptions import Aborted
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from google.pubsub_v1.types import PubsubMessage

from devstack.services import ROLES, service
from tests.event_servers import (
    BUILT_IN,
    GOOGLES,
    Documents,
    EventServers,
    Project,
    event_servers,
    eventually,
    project,
    until,
)
from tests.failing_firestore import failing_firestore
from tests.finance_events import CHART, event_attributes, message_of, sale
from tests.finance_sums import aggregates_sums, documents_sums
from tests.sinks import sinking
from transaction_service.erp_sink.aggregates import id_of
from transaction_service.erp_sink.decode import decode
from transaction_service.erp_sink.effects import effect_of
from transaction_service.erp_sink.event import Event
from transaction_service.erp_sink.settings import SinkSettings
from transaction_service.erp_sink.store import COMMIT_TIMEOUT_S, Store

AWAY_S = 60
WRITTEN_S = 100
REQUEST = 500


@dataclass(frozen=True, slots=True)
class Finance:
    """Pub/Sub and Firestore, with a project of the test's own."""

    servers: EventServers
    project: Project
    settings: SinkSettings
    documents: Documents
    aggregates: Documents

    async def publish(self, messages: Sequence[PubsubMessage]) -> None:
        for start in range(0, len(messages), REQUEST):
            await self.project.publish(*messages[start : start + REQUEST])

    async def publish_for(self, seconds: float, messages: Sequence[PubsubMessage]) -> None:
        """Publish them by hundreds, spread over that time."""
        pause_s = seconds * 100 / len(messages)
        for start in range(0, len(messages), 100):
            await self.project.publish(*messages[start : start + 100])
            await asyncio.sleep(pause_s)

    async def start_sink(self, name: str) -> None:
        environment = {**self.servers.environment, "GOOGLE_CLOUD_PROJECT": self.project.name}
        listen = f"127.0.0.1:{self.servers.ports.take()}"
        await self.servers.children.serve(service(name, ROLES["sink"], environment, listen))

    @asynccontextmanager
    async def sinks(self, count: int) -> AsyncIterator[Sequence[str]]:
        """Run so many processes; at the end each must end by itself, and well, when told to."""
        children = self.servers.children
        names = [f"sink-{number}" for number in range(count)]
        for name in names:
            await self.start_sink(name)
        yield names
        assert children.first_ended() is None
        for name in names:
            assert await asyncio.to_thread(children.end, name, signal.SIGTERM) == 0

    async def until_written(self, messages: Sequence[PubsubMessage]) -> None:
        ids = {each.attributes["ce-id"] for each in messages}

        async def all_are_written() -> bool:
            return ids <= set(await self.documents.all())

        await until(all_are_written, "all are written", WRITTEN_S)

    async def is_exact(self, count: int) -> None:
        """Assert that there are so many documents, and that the aggregates are their sums."""
        documents, aggregates = await self.documents.all(), await self.aggregates.all()
        assert set(documents) == {f"txn_{number}" for number in range(count)}
        assert aggregates_sums(aggregates.values()) == documents_sums(documents.values())


@pytest.fixture(scope="module", params=[BUILT_IN, GOOGLES], ids=["built-in", "google"])
def servers(request: pytest.FixtureRequest) -> Iterator[EventServers]:
    with event_servers(request.param) as running:
        yield running


@pytest.fixture
async def finance(servers: EventServers) -> AsyncIterator[Finance]:
    await servers.start("pubsub")
    await servers.start("firestore")
    pubsub, firestore = (
        servers.environment[f"{name}_EMULATOR_HOST"] for name in ("PUBSUB", "FIRESTORE")
    )
    async with project(pubsub) as fresh:
        settings = SinkSettings(
            sink_listen=f"127.0.0.1:{servers.ports.take()}",
            google_cloud_project=fresh.name,
            pubsub_emulator_host=pubsub,
            firestore_emulator_host=firestore,
        )
        documents, aggregates = (
            Documents(firestore, fresh.name, collection)
            for collection in (settings.firestore_collection, settings.aggregates_collection)
        )
        yield Finance(servers, fresh, settings, documents, aggregates)
        await documents.close()
        await aggregates.close()


def _sales(start: int, end: int) -> list[PubsubMessage]:
    return [message_of(sale(number)) for number in range(start, end)]


async def test_duplicates_and_disorder_count_once_whoever_dies(finance: Finance) -> None:
    """Five of each event, shuffled, at three sinks, and one of them killed while it writes.

    What was published last is written when what was published before has been delivered.
    """
    shuffled = _sales(0, 600) * 5
    random.Random(7).shuffle(shuffled)  # noqa: S311 (no secret)
    last = _sales(600, 700)
    async with finance.sinks(3) as names:
        await finance.publish(shuffled[:1_000])
        await until(finance.documents.all, "the first are written")
        os.killpg(finance.servers.children.pid(names[0]), signal.SIGKILL)
        await finance.start_sink(names[0])
        await finance.publish(shuffled[1_000:])
        await finance.until_written(shuffled)
        await finance.publish(last)
        await finance.until_written(last)
    await finance.is_exact(700)


@pytest.mark.timeout(240)
async def test_a_minute_without_firestore_is_caught_up(finance: Finance) -> None:
    """Events come while it is gone: none is dead, none is lost, and the sink lives."""
    async with finance.sinks(1):
        await finance.servers.end("firestore")
        await finance.publish_for(AWAY_S, _sales(0, 2_000))
        await finance.servers.start("firestore")
        await finance.until_written(_sales(0, 2_000))
    await finance.is_exact(2_000)
    assert await finance.project.pull(finance.project.topology.dead_letter_subscription) == []


@pytest.mark.timeout(240)
async def test_commits_that_are_answered_too_late_are_not_had_twice(finance: Finance) -> None:
    """Firestore stands still in the middle of its work, for longer than the sink waits for it."""
    firestore = finance.servers.children.pid("firestore")
    async with finance.sinks(1):
        await finance.publish(_sales(0, 1_000))
        await until(finance.documents.all, "the first are written")
        os.killpg(firestore, signal.SIGSTOP)
        try:
            await finance.publish_for(COMMIT_TIMEOUT_S + 5, _sales(1_000, 2_000))
        finally:
            os.killpg(firestore, signal.SIGCONT)
        await finance.until_written(_sales(0, 2_000))
    await finance.is_exact(2_000)
    assert await finance.project.pull(finance.project.topology.dead_letter_subscription) == []


@pytest.mark.timeout(240)
async def test_one_poison_event_among_ten_thousand_harms_none(finance: Finance) -> None:
    """Ten thousand documents, and one dead letter that says why."""
    poison = sale(10_000)
    poison.lines[0].account_code = "9999"
    messages = _sales(0, 10_000)
    messages.insert(5_000, message_of(poison))
    async with finance.sinks(2):
        await finance.publish(messages)
        await finance.until_written(messages[:5_000] + messages[5_001:])
        letters = await finance.project.take(finance.project.topology.dead_letter_subscription, 1)
    await finance.is_exact(10_000)
    (letter,) = letters
    assert letter.data == poison.SerializeToString()
    assert letter.attributes["dead_letter_reason"] == "ACCOUNT_CODE_UNKNOWN"
    assert letter.attributes["dead_letter_detail"].startswith("lines[0].account_code '9999'")


@pytest.mark.parametrize("size_bytes", [1_100_000, 5_000_000])
async def test_a_document_that_is_too_large_does_not_stop_the_others(
    finance: Finance, size_bytes: int
) -> None:
    """Beyond what a document may take, or a call: the batch is halved until it is found."""
    too_large = sale(4)
    too_large.transaction_id, too_large.reference = "txn_large", "x" * size_bytes
    await finance.publish([*_sales(0, 3), message_of(too_large), *_sales(3, 5)])
    async with sinking(finance.settings) as counts:
        (letter,) = await finance.project.take(finance.project.topology.dead_letter_subscription, 1)
        await eventually(lambda: counts["deliveries_written"] == 5, "the good ones are written")
    assert letter.attributes["dead_letter_reason"] == "DOCUMENT_REFUSED"
    assert letter.attributes["ce-id"] == "txn_large"
    await finance.is_exact(5)


async def test_events_that_outgrow_a_commit_together_are_written(finance: Finance) -> None:
    """Documents take many times the bytes of their events: 500 of these would be 9 MB."""
    events = [sale(number) for number in range(500)]
    for event in events:
        lines = [copy for line in event.lines for copy in [line] * 10]
        event.ClearField("lines")
        event.lines.extend(lines)
    await finance.publish([message_of(each) for each in events])
    async with sinking(finance.settings) as counts:
        await eventually(lambda: counts["deliveries_written"] == 500, "all are written")
    assert not [each for each in counts if each.startswith("dead_letters")]
    await finance.is_exact(500)


TRANSIENT = [
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
]


@pytest.mark.parametrize(("had", "failures"), [(False, 3), (True, 1)], ids=["refused", "unheard"])
@pytest.mark.parametrize("code", TRANSIENT, ids=lambda code: code.name)
async def test_what_may_pass_is_tried_again(
    finance: Finance, code: grpc.StatusCode, failures: int, had: bool
) -> None:
    """It is not the event's fault: it is written when it can be, once, and never a dead letter."""
    listen = f"127.0.0.1:{finance.servers.ports.take()}"
    settings = finance.settings.model_copy(update={"firestore_emulator_host": listen})
    firestore = finance.settings.firestore_emulator_host
    async with (
        failing_firestore(listen, firestore, code, failures, had=had) as failing,
        sinking(settings) as counts,
    ):
        await finance.publish(_sales(0, 20))
        await eventually(lambda: counts["deliveries_written"] == 20, "all are written")
        assert failing.failures == 0
    assert counts["commits_failed"] == failures
    assert not [each for each in counts if each.startswith("dead_letters")]
    await finance.is_exact(20)


async def test_who_meets_another_on_a_shard_takes_the_next(finance: Finance) -> None:
    """An aborted commit is had on other documents: the two need not wait for each other again."""
    listen = f"127.0.0.1:{finance.servers.ports.take()}"
    firestore = finance.settings.firestore_emulator_host
    event = decode(message_of(sale(1)).data, event_attributes(sale(1)), CHART.codes())
    assert isinstance(event, Event)
    effects = {"txn_1": effect_of(event)}
    async with (
        failing_firestore(listen, firestore, grpc.StatusCode.ABORTED, 1, had=False),
        grpc.aio.insecure_channel(listen) as channel,
    ):
        store = Store(
            FirestoreAsyncClient(transport=FirestoreGrpcAsyncIOTransport(channel=channel)),
            finance.project.name,
            finance.settings.firestore_collection,
            finance.settings.aggregates_collection,
            iter([3, 4]),
        )
        with pytest.raises(Aborted):
            await store.write(effects)
        await store.write(effects)
    (key,) = effects["txn_1"].additions
    assert set(await finance.aggregates.all()) == {id_of(key, 4)}
