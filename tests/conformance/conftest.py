"""One suite, two kinds of emulator: whatever holds for Google's own must hold for our stand-ins.

Where Google's emulator is known to differ from the real service, the test says so with
`google_differs(reason)` and is expected to fail there, and there only.
"""

import os
from collections.abc import Iterator

import pytest

from devstack.children import Children, base_environment
from devstack.emulators import (
    built_in_firestore_command,
    built_in_pubsub_command,
    google_firestore_command,
    google_pubsub_command,
)
from devstack.folder import temporary_folder
from tests.conformance.firestore_calls import Firestore
from tests.conformance.processes import running
from tests.conformance.pubsub_calls import PubSub


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "google_differs(reason): Google's emulator is known not to do this"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        differs = item.get_closest_marker("google_differs")
        call = getattr(item, "callspec", None)
        if differs and call and call.params.get("kind") == "google":
            item.add_marker(pytest.mark.xfail(reason=differs.args[0], strict=False))


@pytest.fixture(scope="session", params=["built-in", "google"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def children() -> Iterator[Children]:
    with Children(temporary_folder(), base_environment(os.environ)) as children:
        yield children


@pytest.fixture(scope="session")
def pubsub(kind: str, children: Children) -> Iterator[PubSub]:
    """Google's Pub/Sub clients, talking to an emulator of this kind."""
    make = {"google": google_pubsub_command, "built-in": built_in_pubsub_command}[kind]
    with running(make, children) as address, PubSub(address) as clients:
        yield clients


@pytest.fixture(scope="session")
def firestore(kind: str, children: Children) -> Iterator[Firestore]:
    """Google's Firestore client, talking to an emulator of this kind."""
    make = {"google": google_firestore_command, "built-in": built_in_firestore_command}[kind]
    with running(make, children) as address, Firestore(address) as clients:
        yield clients
