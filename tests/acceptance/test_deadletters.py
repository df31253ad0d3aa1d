"""Operators look at dead letters and mend them, on Pub/Sub, Firestore and the sink themselves."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.pubsub_v1.types import PubsubMessage
from privy.erp.v1.event_pb2 import CostRevenueEvent

from devstack.services import ROLES, service
from tests.acceptance.operators import Walletctl
from tests.event_servers import (
    Documents,
    EventServers,
    Project,
    project,
    until,
)
from tests.finance_events import event_attributes, finance_event

WHY = ["--reason", "the sink knows it now", "--operator", "ops", "--yes"]


@dataclass(frozen=True, slots=True)
class Finance:
    """Finance's side of a project of the test's own, with the tool that mends it."""

    servers: EventServers
    project: Project
    environment: Mapping[str, str]
    documents: Documents
    trail: Documents

    @property
    def walletctl(self) -> Walletctl:
        return Walletctl({**os.environ, **self.environment})

    def deadletters(self, *arguments: str) -> Any:
        return self.walletctl.json("deadletters", *arguments)

    @asynccontextmanager
    async def sinking(self) -> AsyncIterator[None]:
        """Run the sink until the end of the context."""
        listen = f"127.0.0.1:{self.servers.ports.take()}"
        children = self.servers.children
        await children.serve(service("sink", ROLES["sink"], self.environment, listen))
        try:
            yield
        finally:
            await asyncio.to_thread(children.end, "sink", signal.SIGTERM)

    async def bury(self, *events: CostRevenueEvent) -> None:
        """Make dead letters of good events, as a sink would that does not know their kind yet."""
        attributes = {
            "dead_letter_reason": "FIELD_INVALID",
            "dead_letter_detail": "kind 99 is not known",
            "dead_letter_first_seen_time": "2026-05-01T08:00:00+00:00",
            "dead_letter_attempt": "1",
        }
        messages = [
            PubsubMessage(
                data=each.SerializeToString(),
                attributes={**event_attributes(each), **attributes},
                ordering_key=each.wallet_id,
            )
            for each in events
        ]
        await self.project.pubsub.publisher.publish(
            topic=self.project.topology.dead_letter_topic, messages=messages, timeout=5, retry=None
        )

    async def acts(self) -> list[tuple[str, str, str]]:
        """Answer the acts in the trail: what, to which event, why."""
        fields = [each.fields for each in (await self.trail.all()).values()]
        return sorted(
            (each["kind"].string_value, each["event_id"].string_value, each["reason"].string_value)
            for each in fields
        )


@pytest.fixture
async def finance(servers: EventServers) -> AsyncIterator[Finance]:
    await servers.start("pubsub")
    await servers.start("firestore")
    environment = servers.environment
    async with project(environment["PUBSUB_EMULATOR_HOST"]) as fresh:
        own = {**environment, "GOOGLE_CLOUD_PROJECT": fresh.name}
        documents, trail = (
            Documents(environment["FIRESTORE_EMULATOR_HOST"], fresh.name, collection)
            for collection in ("cost_revenue_events", "operator_acts")
        )
        yield Finance(servers, fresh, own, documents, trail)
        await documents.close()
        await trail.close()


def events(count: int) -> list[CostRevenueEvent]:
    return [finance_event(f"txn_{number}") for number in range(count)]


async def test_a_poison_event_is_listed_filtered_and_shown(finance: Finance) -> None:
    """Listed with the sink's reason as often as one looks; found by each filter; shown decoded."""
    poison = finance_event("txn_poison")
    poison.lines[0].amount.minor_units = 7
    bytes_only = PubsubMessage(data=b"\xff", attributes=event_attributes(finance_event("txn_ff")))
    unbalanced = PubsubMessage(
        data=poison.SerializeToString(), attributes=event_attributes(poison), ordering_key="wal_1"
    )
    async with finance.sinking():
        await finance.project.publish(unbalanced)
        await finance.project.publish(bytes_only)

        async def both_are_dead() -> bool:
            return len(finance.deadletters("list")) == 2

        await until(both_are_dead, "both are dead letters")
    for filters in (
        ["--reason", "LINES_UNBALANCED"],
        ["--wallet", "wal_1"],
        ["--product", "ESIGN", "--from", "2026-01-01"],
    ):
        (letter,) = finance.deadletters("list", *filters)
        assert (letter["event_id"], letter["reason"]) == ("txn_poison", "LINES_UNBALANCED")
        assert letter["detail"] == "the lines in IDR sum to -993, not 0"
    assert finance.deadletters("list", "--to", "2026-01-01") == []
    shown = finance.deadletters("show", "txn_poison")
    assert [each["amount"]["minor_units"] for each in shown["event"]["lines"]] == [7, -1000]
    assert finance.deadletters("show", "txn_ff")["data_base64"] == "/w=="
    missing = finance.walletctl.run("deadletters", "show", "txn_none")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "txn_none" in missing.stderr


async def test_a_replayed_event_is_written_once_and_says_so(finance: Finance) -> None:
    """It gets its document after the fix; buried and replayed again, it has no second effect."""
    await finance.bury(*events(2))
    async with finance.sinking():
        (first,) = finance.deadletters("replay", "txn_0", *WHY)
        assert (first["outcome"], first["effect"]) == ("replayed", "to be written")
        await until(finance.documents.all, "it is written")
        written = await finance.documents.all()
        await finance.bury(events(1)[0])
        rows = finance.deadletters("replay", "--all", *WHY)
        effects = {each["event_id"]: each["effect"] for each in rows}
        assert effects == {"txn_0": "already written: no second effect", "txn_1": "to be written"}

        async def all_are_written() -> bool:
            return len(await finance.documents.all()) == 2

        await until(all_are_written, "the other is written")
    assert (await finance.documents.all())["txn_0"] == written["txn_0"]
    assert finance.deadletters("list") == []
    assert await finance.acts() == [
        ("REPLAY", each, "the sink knows it now") for each in ("txn_0", "txn_0", "txn_1")
    ]
    assert [each["operator"] for each in finance.deadletters("acts")] == ["ops"] * 3


async def test_a_replay_keeps_the_message_and_says_why(finance: Finance) -> None:
    """Bytes, ordering key and attributes as they were, with a count and the operator's reason."""
    (event,) = events(1)
    await finance.bury(event)
    finance.deadletters("replay", "--fault", "FIELD_INVALID", *WHY)
    (message,) = await finance.project.take(finance.project.topology.events_subscription, 1)
    assert (message.data, message.ordering_key) == (event.SerializeToString(), "wal_1")
    assert (
        dict(message.attributes).items()
        >= {
            **event_attributes(event),
            "dead_letter_attempt": "1",
            "replay_count": "1",
            "replay_reason": "the sink knows it now",
        }.items()
    )


async def test_a_discarded_letter_is_gone_and_recorded(finance: Finance) -> None:
    """Only the one that was named; nothing is published of it."""
    await finance.bury(*events(2))
    (row,) = finance.deadletters("discard", "txn_1", *WHY)
    assert row["outcome"] == "discarded"
    assert [each["event_id"] for each in finance.deadletters("list")] == ["txn_0"]
    assert await finance.acts() == [("DISCARD", "txn_1", "the sink knows it now")]
    assert await finance.project.pull(finance.project.topology.events_subscription) == []


async def test_a_dry_run_changes_nothing(finance: Finance) -> None:
    """It says what would be done; letters, topic and audit trail stay as they are."""
    await finance.bury(*events(2))
    before = finance.deadletters("list")
    for verb, outcome in (("replay", "would be replayed"), ("discard", "would be discarded")):
        rows = finance.deadletters(verb, "--all", *WHY, "--dry-run")
        assert [each["outcome"] for each in rows] == [outcome] * 2
    assert finance.deadletters("list") == before
    assert await finance.acts() == []
    assert await finance.project.pull(finance.project.topology.events_subscription) == []


async def test_an_interrupted_replay_leaves_the_rest(finance: Finance) -> None:
    """Stopped by Ctrl-C it tells what it did; run again it goes on with what is left."""
    await finance.bury(*events(20))
    command = [sys.executable, "-m", "walletctl", "deadletters", "replay", "--all", *WHY]
    running = subprocess.Popen(  # noqa: ASYNC220 (nothing else waits)
        [*command, "--rate", "4"],
        env=finance.walletctl.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    async def some_are_replayed() -> bool:
        return len(await finance.acts()) >= 2

    await until(some_are_replayed, "it is under way")
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=30)
    done = {each["event_id"] for each in json.loads(out)}
    assert running.returncode == 130
    left = {each["event_id"] for each in finance.deadletters("list")}
    messages = await finance.project.pull(finance.project.topology.events_subscription)
    published = {each.attributes["ce-id"] for each in messages}
    assert 0 < len(done) < 20
    assert done <= published - left
    # The one under way may be published and not yet taken away.
    assert published | left == {each.transaction_id for each in events(20)}
    again = finance.deadletters("replay", "--all", *WHY)
    assert {each["event_id"] for each in again} == left
    assert finance.deadletters("list") == []


async def test_letters_are_exported_as_json_lines(finance: Finance, tmp_path: Path) -> None:
    """One line each, with what a replay by hand would need; they stay where they are."""
    await finance.bury(*events(3))
    file = tmp_path / "letters.jsonl"
    done = finance.walletctl.run("deadletters", "export", "--file", str(file))
    assert (done.returncode, done.stdout) == (0, "")
    letters = [json.loads(line) for line in file.read_text().splitlines()]
    assert {each["event"]["transaction_id"] for each in letters} == {"txn_0", "txn_1", "txn_2"}
    assert {each["ordering_key"] for each in letters} == {"wal_1"}
    assert len(finance.deadletters("list")) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["replay", *WHY], "--all"),
        (["discard", "--all"], "--reason"),
        (["replay", "--all", "--reason", "x" * 1_025], "1,024"),
    ],
)
async def test_what_is_not_said_is_not_guessed(
    arguments: list[str], words: str, finance: Finance
) -> None:
    """Without a choice, or without a reason that Pub/Sub can carry, nothing is done."""
    await finance.bury(*events(1))
    done = finance.walletctl.run("deadletters", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert len(finance.deadletters("list")) == 1
