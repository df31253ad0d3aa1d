"""The ledger's events against finance's documents, by command, on real processes."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.acceptance.house import House
from tests.acceptance.operators import Walletctl
from tests.event_servers import (
    until,
)
from wallet_service import ids

WHY = ["--reason", "a rehearsal", "--operator", "ops", "--yes"]
SOON = ["--patience", "1"]


async def test_what_agrees_is_told_with_its_sums(house: House) -> None:
    """Every event has its document; both sides sum to the trial balance; exit code 0."""
    async with house.serving("publisher"):
        await house.wallet(usages=3)
        await house.wallet(usages=2)
        report = house.walletctl.json("reconcile")
    assert (report["events"], report["documents"], report["differences"]) == (7, 7, [])
    balances = {
        line.account_type: line.amount_minor
        for line in await house.books.reports.trial_balance(None)
    }
    assert (
        balances
        == {each["account_type"]: each["ledger_minor"] for each in report["sums"]}
        == {each["account_type"]: each["documents_minor"] for each in report["sums"]}
    )


async def test_each_difference_is_named_and_what_is_missing_is_mended(house: House) -> None:
    """Deleted, altered, invented or not yet published; a repair brings what was deleted alone."""
    async with house.serving("publisher"):
        _, (deleted, altered, *_) = await house.wallet(usages=2)
        before = await house.until_written(3)
    _, (waiting,) = await house.wallet(usages=0)
    house.collection.document(deleted).delete()
    house.collection.document(altered).update({"quantity": 5})
    invented = f"txn_{int(altered[4:]) + 1}"
    house.collection.document(invented).set({"lines": "none"})
    house.collection.document("order-77").set({})
    off = {("DIFFERING", altered), ("EXTRA", invented)}
    missing, unpublished = ("MISSING", deleted), ("UNPUBLISHED", waiting)
    assert house.differences(*SOON) == (4, off | {missing, unpublished, ("EXTRA", "order-77")})
    in_range = ["--from", "2024-05-01", "--patience", "3"]
    assert house.differences(*in_range, "--repair", "--dry-run") == (
        4,
        off | {missing, unpublished},
    )
    assert house.differences("--to", "2026-01-01", *SOON) == (0, set())
    since = ["--from", str(ids.recorded_at(int(altered[4:])))]
    assert house.differences(*since, *SOON) == (3, off | {unpublished})
    async with house.serving("publisher"):
        await house.until_written(5)
        assert house.differences(*in_range, "--repair", *WHY) == (4, off)
    assert house.documents()[deleted] == before[deleted]
    assert house.documents()[altered]["quantity"] == 5
    (act,) = house.walletctl.json("deadletters", "acts")
    assert (act["kind"], act["event_id"], act["operator"]) == ("REPUBLISH", deleted, "ops")


async def test_what_is_under_way_is_waited_for(house: House) -> None:
    """An event that is published while the comparison waits is no difference."""
    await house.wallet(usages=1)
    assert len(house.differences("--patience", "0")[1]) == 2
    comparing = asyncio.create_task(
        asyncio.to_thread(house.walletctl.run, "reconcile", "--patience", "60")
    )
    await asyncio.wait([comparing], timeout=3)
    assert not comparing.done()
    async with house.serving("publisher"):
        done = await comparing
    assert done.returncode == 0, done.stderr


async def test_differences_beyond_the_limit_are_counted(house: House) -> None:
    """As many as asked for are named, and how many more there are is said."""
    _, ids = await house.wallet(usages=3)
    done = house.walletctl.run("reconcile", *SOON, "--limit", "2")
    report = json.loads(done.stdout)
    assert (done.returncode, report["unpublished"]) == (1, 4)
    assert [each["event_id"] for each in report["differences"]] == ids[:2]
    assert "there are 2 more" in done.stderr


async def test_an_emptied_firestore_is_rebuilt(house: House) -> None:
    """Republished in two goes, all have the same documents again; a third changes nothing."""
    republish = ["events", "republish", *WHY]
    async with house.serving("publisher"):
        await house.wallet(usages=4)
        wallet, _ = await house.wallet(usages=2)
        before = await house.until_written(8)
        for each in house.collection.list_documents():
            each.delete()
        only = [*republish, "--dry-run", "--wallet", f"wal_{wallet}"]
        assert house.walletctl.json(*only)["events"] == 3
        assert house.walletctl.json(*only, "--product", "API_CALL")["events"] == 2
        assert house.documents() == {}
        done = await stopped_once_under_way(house, *republish, "--rate", "2")
        assert 0 < done["events"] < 8
        since = ["--from", done["last_create_time"]]
        assert house.walletctl.json(*republish, *since)["events"] == 9 - done["events"]
        assert await house.until_written(8) == before
        house.walletctl.json(*republish)
    assert house.differences("--patience", "30") == (8, set())
    assert house.documents() == before


async def stopped_once_under_way(house: House, *arguments: str) -> Any:
    """Run a command until first documents are written, press Ctrl-C; answer what it told."""
    running = subprocess.Popen(  # noqa: ASYNC220 (nothing else waits)
        [sys.executable, "-m", "walletctl", *arguments],
        env=house.walletctl.environment,
        stdout=subprocess.PIPE,
        text=True,
    )

    async def is_under_way() -> bool:
        return len(house.documents()) > 0

    await until(is_under_way, "first documents are written")
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=30)
    assert running.returncode == 130
    return json.loads(out)


async def test_a_short_outage_is_waited_for(house: House) -> None:
    """The Wallet is away when it is asked, and comes back: the comparison goes on."""
    async with house.serving("publisher"):
        await house.wallet(usages=1)
        await house.until_written(2)
    await house.end("wallet")
    comparing = asyncio.create_task(asyncio.to_thread(house.differences))
    await asyncio.wait([comparing], timeout=3)
    assert not comparing.done()
    await house.serve("wallet")
    assert await comparing == (2, set())


async def test_who_is_not_reachable_is_no_difference(house: House) -> None:
    """Exit code 3, and nothing is said to be missing."""
    nobody = f"127.0.0.1:{house.servers.ports.take()}"
    for lost in ("WALLET_TARGET", "FIRESTORE_EMULATOR_HOST"):
        done = Walletctl({**house.walletctl.environment, lost: nobody}).run("reconcile")
        assert (done.returncode, done.stdout) == (3, ""), lost


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reconcile", "--repair", "--yes"], "--reason"),
        (["reconcile", "--repair", "--reason", "lost"], "--yes"),
        (["events", "republish", "--yes"], "--reason"),
        (["events", "republish", "--reason", "lost"], "--yes"),
    ],
)
def test_what_is_not_said_is_not_guessed(arguments: list[str], words: str) -> None:
    """Nothing is republished without a reason and a yes."""
    environment = {**os.environ, "GOOGLE_CLOUD_PROJECT": "none", "WALLET_TARGET": "127.0.0.1:1"}
    done = Walletctl(environment).run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
