"""The load's HTTP/2: what it reads of frames and of header blocks, and what it writes."""

from typing import Any

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.load.frames import (
    DATA,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    Frame,
    Reader,
    frame,
    read_settings,
    settings,
)
from bench.load.headers import Ending, Endings, request_headers

FRAMES = st.lists(
    st.builds(
        Frame,
        kind=st.integers(0, 255),
        flags=st.integers(0, 255),
        stream_id=st.integers(0, 2**31 - 1),
        payload=st.binary(max_size=300),
    ),
    max_size=10,
)


@given(FRAMES, st.lists(st.integers(1, 100), min_size=1))
def test_frames_are_read_as_written_however_the_bytes_are_cut(
    sent: list[Frame], sizes: list[int]
) -> None:
    """A frame may come in any number of pieces, and a piece may hold many frames."""
    data, reader = b"".join(frame(*each) for each in sent), Reader()
    got: list[Frame] = []
    start = turn = 0
    while start < len(data):
        size = sizes[turn % len(sizes)]
        got += reader.feed(data[start : start + size])
        start, turn = start + size, turn + 1
    assert got == sent


def test_a_long_frame_has_its_whole_length() -> None:
    """The length has three bytes."""
    (got,) = Reader().feed(frame(DATA, 0, 1, bytes(70_000)))
    assert len(got.payload) == 70_000


def test_settings_are_read_as_written() -> None:
    values = {INITIAL_WINDOW_SIZE: 2**31 - 1, MAX_CONCURRENT_STREAMS: 7}
    (got,) = Reader().feed(settings(values))
    assert read_settings(got.payload) == values


def test_request_headers_are_those_of_a_unary_grpc_call() -> None:
    """Any HPACK decoder reads them, also twice: they leave nothing in its table."""
    block = request_headers("127.0.0.1:50051", "/service/Method")
    decoder = hpack.Decoder()
    for _ in range(2):
        fields: Any = decoder.decode(block)
        assert dict(fields) == {
            ":method": "POST",
            ":scheme": "http",
            ":path": "/service/Method",
            ":authority": "127.0.0.1:50051",
            "te": "trailers",
            "content-type": "application/grpc",
            "grpc-timeout": "30S",
        }


@pytest.mark.parametrize(
    ("fields", "ending"),
    [
        ({"grpc-status": "0"}, Ending("OK")),
        (
            {"grpc-status": "8", "grpc-message": "wait%20now"},
            Ending("RESOURCE_EXHAUSTED", "wait now"),
        ),
        ({"grpc-status": "99"}, Ending("CODE_99")),
        ({":status": "502"}, Ending("NO_STATUS", "HTTP status 502")),
    ],
)
def test_endings_are_read_from_trailers(fields: dict[str, str], ending: Ending) -> None:
    """Each status is told by its name, the second time as the first."""
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    block, endings = encoder.encode(list(fields.items())), Endings()
    assert [endings.of(block), endings.of(block)] == [ending, ending]
