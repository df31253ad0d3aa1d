"""What tests of failing processes share."""

from collections.abc import Iterator

import pytest

from tests.event_servers import BUILT_IN, GOOGLES, Commands, EventServers, event_servers


@pytest.fixture(scope="module", params=[BUILT_IN, GOOGLES], ids=["built-in", "google"])
def servers(request: pytest.FixtureRequest) -> Iterator[EventServers]:
    commands: Commands = request.param
    with event_servers(commands) as running:
        yield running
