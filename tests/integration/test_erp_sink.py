"""The sink between Pub/Sub and Firestore, both real servers."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence

import pytest
from google.pubsub_v1.types import PubsubMessage
from privy.erp.v1.event_pb2 import CostRevenueEvent

from devstack.services import ROLES, service
from shared.telemetry import PassOnTracing
from tests.event_servers import (
    Documents,
    EventServers,
    Project,
    eventually,
    until,
    until_not_serving,
    until_serving,
)
from tests.finance_events import event_attributes, finance_event
from tests.sinks import Counts, sinking
from transaction_service.erp_sink import app
from transaction_service.erp_sink.settings import SinkSettings


@pytest.fixture
async def documents(servers: EventServers, settings: SinkSettings) -> AsyncIterator[Documents]:
    """What the sink has written, on a running Firestore."""
    await servers.start("firestore")
    collection = Documents(
        settings.firestore_emulator_host,
        settings.google_cloud_project,
        settings.firestore_collection,
    )
    yield collection
    await collection.close()


@pytest.fixture
def settings(servers: EventServers, pubsub: Project) -> SinkSettings:
    return SinkSettings(
        sink_listen=f"127.0.0.1:{servers.ports.take()}",
        google_cloud_project=pubsub.name,
        pubsub_emulator_host=servers.environment["PUBSUB_EMULATOR_HOST"],
        firestore_emulator_host=servers.environment["FIRESTORE_EMULATOR_HOST"],
    )


def _message(transaction_id: str) -> PubsubMessage:
    return _message_of(finance_event(transaction_id))


def _message_of(event: CostRevenueEvent) -> PubsubMessage:
    return PubsubMessage(
        data=event.SerializeToString(), attributes=event_attributes(event), ordering_key="wal_1"
    )


def _messages(count: int) -> list[PubsubMessage]:
    return [_message(f"txn_{number}") for number in range(count)]


def _ids(messages: Sequence[PubsubMessage]) -> set[str]:
    return {each.attributes["ce-id"] for each in messages}


async def test_an_event_becomes_one_readable_document(
    pubsub: Project, settings: SinkSettings, documents: Documents
) -> None:
    """Enums by name, amounts as integers, times as timestamps, and when it was written."""
    await pubsub.publish(_message("txn_1"))
    async with sinking(settings) as counts:
        await eventually(lambda: counts["deliveries_written"] == 1, "the event is written")
    fields = (await documents.all())["txn_1"].fields
    assert fields["kind"].string_value == "TRANSACTION_KIND_USAGE"
    assert fields["quantity"].integer_value == 2
    assert fields["create_time"].timestamp_value.seconds == 1_800_000_000
    assert fields["written_time"].timestamp_value.seconds > 1_700_000_000
    lines = [each.map_value.fields for each in fields["lines"].array_value.values]
    assert [each["amount_minor"].integer_value for each in lines] == [1000, -1000]
    assert [each["asset_code"].string_value for each in lines] == ["IDR", "IDR"]


async def test_an_event_delivered_often_is_written_once(
    pubsub: Project, settings: SinkSettings, documents: Documents
) -> None:
    """Thrice in one batch and again in a later one: the document stays as first written."""
    await pubsub.publish(*[_message("txn_1")] * 3, _message("txn_2"))
    async with sinking(settings) as counts:
        await eventually(lambda: counts["deliveries_written"] == 4, "all are acknowledged")
        before = await documents.all()
        await pubsub.publish(_message("txn_1"), _message("txn_3"))
        await eventually(lambda: counts["deliveries_written"] == 6, "all are acknowledged")
    after = await documents.all()
    assert set(after) == {"txn_1", "txn_2", "txn_3"}
    assert after["txn_1"] == before["txn_1"]


async def test_poison_goes_to_the_dead_letters_and_its_neighbours_are_written(
    pubsub: Project, settings: SinkSettings, documents: Documents
) -> None:
    """Each dead letter is the message as it was, with its reason; nothing waits behind it."""
    unbalanced = finance_event("txn_unbalanced")
    unbalanced.lines[0].amount.minor_units = 7
    poison = {
        "EVENT_UNDECODABLE": PubsubMessage(
            data=b"\xff", attributes=event_attributes(finance_event("txn_bytes"))
        ),
        "EVENT_TYPE_FOREIGN": PubsubMessage(data=b"hello", attributes={"ce-id": "foreign"}),
        "LINES_UNBALANCED": _message_of(unbalanced),
    }
    for each in poison.values():
        each.ordering_key = "wal_1"
    await pubsub.publish(_message("txn_1"), *poison.values(), _message("txn_2"))
    async with sinking(settings) as counts:
        letters = await pubsub.take(pubsub.topology.dead_letter_subscription, len(poison))
        await eventually(lambda: counts["deliveries_written"] == 2, "the good ones are written")
    assert set(await documents.all()) == {"txn_1", "txn_2"}
    found = {each.attributes["dead_letter_reason"]: each for each in letters}
    assert set(found) == set(poison)
    for reason, letter in found.items():
        assert letter.data == poison[reason].data
        assert letter.ordering_key == "wal_1"
        assert dict(letter.attributes).items() >= dict(poison[reason].attributes).items()
        assert letter.attributes["dead_letter_attempt"] == "1"
        assert letter.attributes["dead_letter_detail"]
        assert letter.attributes["dead_letter_first_seen_time"]
        assert counts[f"dead_letters reason:{reason}"] == 1


async def test_sums_beyond_64_bits_do_not_end_the_sink(
    pubsub: Project, settings: SinkSettings, documents: Documents
) -> None:
    """No ledger holds so much: but one such event must not hold up all others."""
    absurd = finance_event("txn_absurd")
    absurd.lines[0].amount.minor_units = 2**62
    absurd.lines[1].amount.minor_units = -(2**62)
    absurd.lines.extend([*absurd.lines] * 2)
    await pubsub.publish(_message_of(absurd), _message("txn_1"))
    async with sinking(settings) as counts:
        await eventually(lambda: counts["deliveries_written"] == 2, "both are written")
    assert set(await documents.all()) == {"txn_absurd", "txn_1"}


async def test_firestore_away_for_a_while_loses_nothing(
    servers: EventServers, pubsub: Project, settings: SinkSettings, documents: Documents
) -> None:
    """The sink says that it is not ready, keeps what came, and writes it when Firestore is back."""
    await servers.end("firestore")
    async with sinking(settings) as counts:
        await pubsub.publish(*_messages(700))
        await eventually(lambda: counts["commits_failed"] >= 3, "the sink tries to write")
        await until_not_serving(settings.sink_listen)
        await servers.start("firestore")
        await eventually(lambda: counts["deliveries_written"] == 700, "all are written")
        await until_serving(settings.sink_listen)
    assert set(await documents.all()) == _ids(_messages(700))
    assert not [each for each in counts if each.startswith("dead_letters")]


async def test_death_before_the_commit_loses_nothing(
    servers: EventServers, pubsub: Project, settings: SinkSettings, documents: Documents
) -> None:
    """Killed with events received and not written, the next process gets them again."""
    await servers.end("firestore")
    await pubsub.publish(*_messages(100))
    counts = Counts()
    doomed = asyncio.create_task(app.run(settings, counts, PassOnTracing(), stop=asyncio.Event()))
    await eventually(lambda: counts.of["commits_failed"] >= 1, "the sink tries to write")
    doomed.cancel()
    await asyncio.wait([doomed])
    await servers.start("firestore")
    async with sinking(settings) as written:
        await eventually(lambda: written["deliveries_written"] == 100, "all are written")
    assert set(await documents.all()) == _ids(_messages(100))


async def test_a_restarted_pubsub_is_found_again(
    servers: EventServers, pubsub: Project, settings: SinkSettings, documents: Documents
) -> None:
    """The stream is opened anew, and the topics are made again where they were forgotten."""
    async with sinking(settings) as counts:
        await pubsub.publish(_message("txn_1"))
        await eventually(lambda: counts["deliveries_written"] == 1, "the first is written")
        await servers.end("pubsub")
        await servers.start("pubsub")
        await until(pubsub.is_ensured, "the subscription is made again")
        await pubsub.publish(_message("txn_2"))
        await eventually(lambda: counts["deliveries_written"] == 2, "the second is written")
    assert set(await documents.all()) == {"txn_1", "txn_2"}


async def test_told_to_end_it_finishes_and_the_next_goes_on(
    servers: EventServers, pubsub: Project, settings: SinkSettings, documents: Documents
) -> None:
    """Ended under load, with success; the next process writes what this one did not."""
    enough = asyncio.Event()
    publishing = asyncio.create_task(_publish_until(enough, pubsub))
    environment = {**servers.environment, "GOOGLE_CLOUD_PROJECT": pubsub.name}
    await servers.children.serve(service("sink", ROLES["sink"], environment, settings.sink_listen))
    await until(documents.all, "the first events are written")
    assert await asyncio.to_thread(servers.children.end, "sink", signal.SIGTERM) == 0
    enough.set()
    count = await publishing

    async def all_are_written() -> bool:
        return set(await documents.all()) == _ids(_messages(count))

    async with sinking(settings):
        await until(all_are_written, "the next process writes the rest")


async def _publish_until(enough: asyncio.Event, pubsub: Project) -> int:
    """Publish 20 events at a time; answer how many there were."""
    count = 0
    while not enough.is_set():
        await pubsub.publish(*(_message(f"txn_{count + number}") for number in range(20)))
        count += 20
        await asyncio.sleep(0.02)
    return count
