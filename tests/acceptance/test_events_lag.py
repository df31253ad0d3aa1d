"""How far events are behind, by command, on a whole stack."""

import os
import signal

import pytest

from devstack.stack import Stack
from tests.acceptance.clients import PRICE_MINOR
from tests.acceptance.operators import Walletctl, until_lag_is


@pytest.fixture
def walletctl(stack: Stack) -> Walletctl:
    return Walletctl({**os.environ, **stack.environment})


async def test_events_that_wait_are_told_where_they_wait(
    stack: Stack, walletctl: Walletctl
) -> None:
    """In the feed while no publisher runs, then in the subscription while no sink does."""
    wallet = walletctl.wallet(9 * PRICE_MINOR)
    idle = await until_lag_is(walletctl, feed_backlog=0, subscription_backlog=0, publishers=1)
    assert idle["feed_lag_s"] == 0
    assert 0 <= idle["delivery_s"] < 60
    assert isinstance(idle["dead_letters"], int)
    assert await stack.end("sink", signal.SIGTERM) == 0
    assert await stack.end("publisher", signal.SIGTERM) == 0
    for _ in range(3):
        walletctl.json("actions", "usage", wallet, "--product", "API_CALL")
    unpublished = await until_lag_is(walletctl, feed_backlog=3, publishers=0)
    assert unpublished["feed_lag_s"] > 0
    assert unpublished["newest_document_time"] == idle["newest_document_time"]
    await stack.start("publisher")
    await until_lag_is(walletctl, feed_backlog=0, subscription_backlog=3, publishers=1)
    await stack.start("sink")
    written = await until_lag_is(walletctl, feed_backlog=0, subscription_backlog=0)
    assert written["newest_document_time"] > idle["newest_document_time"]
