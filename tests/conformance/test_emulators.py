"""Which emulator a machine gets, and how the stand-ins start and end as processes."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from google.api_core.exceptions import ServiceUnavailable

from devstack.children import Children
from devstack.emulators import (
    built_in_firestore_command,
    built_in_pubsub_command,
    firestore_command,
    google_firestore_command,
    google_pubsub_command,
    pubsub_command,
    wait_ready,
)
from devstack.ports import Ports
from tests.conformance.processes import MakeCommand, running, start
from tests.conformance.pubsub_calls import PubSub, eventually, message
from tests.conformance.streams import streaming

STAND_INS = (built_in_pubsub_command, built_in_firestore_command)
PUBSUB_JAR = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-0.8.20-all.jar"
FIRESTORE_JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"


@pytest.fixture
def sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a Cloud SDK, its emulators and Java, as far as one sees from outside."""
    for name in ("bin/gcloud", "bin/java", PUBSUB_JAR, FIRESTORE_JAR):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_googles_emulators_are_preferred(sdk: Path) -> None:
    """With SDK and Java, both are started straight from their jars, on the loopback address."""
    for make, jar in ((pubsub_command, PUBSUB_JAR), (firestore_command, FIRESTORE_JAR)):
        command = make(12345)

        assert command.kind == "google"
        assert command.argv[0] == str(sdk / "bin/java")
        assert str(sdk / jar) in command.argv
        assert {"--host=127.0.0.1", "--port=12345"} <= set(command.argv)


@pytest.mark.parametrize("missing", ["bin/gcloud", "bin/java", PUBSUB_JAR])
def test_without_all_of_it_the_stand_in_is_taken(sdk: Path, missing: str) -> None:
    """Where the SDK, Java or the emulator itself is missing, ours needs none of them."""
    sdk.joinpath(missing).unlink()

    command = pubsub_command(12345)

    assert google_pubsub_command(12345) is None
    assert command.kind == "built-in"
    assert command.argv[0] == sys.executable


def test_each_emulator_is_found_for_itself(sdk: Path) -> None:
    """An SDK may have one of the two."""
    sdk.joinpath(FIRESTORE_JAR).unlink()

    assert google_firestore_command(12345) is None
    assert google_pubsub_command(12345) is not None


@pytest.mark.parametrize("make", STAND_INS)
def test_a_stand_in_ends_when_told(make: MakeCommand, children: Children) -> None:
    """SIGTERM ends it with exit code 0."""
    name = start(make, Ports().take(), children)

    assert children.end(name, signal.SIGTERM) == 0


def test_a_stream_learns_that_the_server_stops(children: Children) -> None:
    """A client that listens gets UNAVAILABLE, at which it comes back, and ends nothing late."""
    port = Ports().take()
    name = start(built_in_pubsub_command, port, children)
    with PubSub(f"127.0.0.1:{port}") as pubsub:
        topic = pubsub.topic()
        subscription = pubsub.subscription(topic)
        with streaming(pubsub, subscription) as stream:
            pubsub.publish(topic, message("body"))
            stream.wait_for(1)

            assert children.end(name, signal.SIGTERM) == 0
            eventually(lambda: stream.error is not None, lambda: "the end of the stream")

    assert isinstance(stream.error, ServiceUnavailable)


@pytest.mark.parametrize("make", STAND_INS)
def test_a_taken_port_is_refused(make: MakeCommand, children: Children) -> None:
    """A second one on the same port does not start, and says which address it wanted."""
    with running(make, children) as address:
        command = make(int(address.rpartition(":")[2]))
        assert command
        second = subprocess.run(
            command.argv, capture_output=True, text=True, timeout=30, check=False
        )

    assert second.returncode != 0
    assert address in second.stderr


async def test_nobody_there_is_no_server() -> None:
    """Waiting for a server that does not come ends in time, with the address."""
    port = Ports().take()

    with pytest.raises(TimeoutError, match=str(port)):
        await wait_ready(port, deadline_s=0.2)
