"""Log lines: one JSON object each, in order, whatever they hold."""

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from io import StringIO

import pytest
import structlog

from shared.telemetry import TelemetrySettings, configure_logging


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What is written to stderr as JSON."""
    stream = StringIO()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", stream)
        configure_logging(TelemetrySettings(log_format="json"), "test")
        yield stream
    structlog.reset_defaults()


def lines(stream: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_the_lines_of_one_turn_are_written_together_and_in_order(written: StringIO) -> None:
    """By the end of the turn; a warning takes those before it along at once."""
    log = structlog.get_logger()
    log.info("first")
    log.info("second")
    assert lines(written) == []
    log.warning("third")
    assert [each["event"] for each in lines(written)] == ["first", "second", "third"]
    log.info("fourth")
    await asyncio.sleep(0)
    assert [each["event"] for each in lines(written)][3:] == ["fourth"]


def test_where_no_loop_runs_a_line_is_written_at_once(written: StringIO) -> None:
    """As at the start of a process, and at its end."""
    structlog.get_logger().info("starting", count=1)
    (line,) = lines(written)
    assert (line["event"], line["level"], line["service"], line["count"]) == (
        "starting", "info", "test", 1,
    )  # fmt: skip
    assert datetime.fromisoformat(str(line["timestamp"])).tzinfo is not None


@pytest.mark.parametrize("odd", [1 << 70, "\udc80", object()])
def test_what_is_hard_to_say_is_logged_all_the_same(written: StringIO, odd: object) -> None:
    """A line is never lost for what it holds."""
    structlog.get_logger().info("odd", value=odd)
    assert lines(written)[0]["event"] == "odd"
