"""HTTP/2 frames (RFC 9113), as far as a caller of unary gRPC needs them. Pure."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, PADDED, PRIORITY, ACK = 0x1, 0x4, 0x8, 0x20, 0x1
HEADER_TABLE_SIZE, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 1, 3, 4, 5

DEFAULT_WINDOW = 65_535
DEFAULT_FRAME_SIZE = 16_384
LARGEST_WINDOW = 2**31 - 1

HEAD_BYTES = 9

_HEAD = struct.Struct(">HBBBI")
_SETTING = struct.Struct(">HI")


class ProtocolError(Exception):
    """The server said what a caller of unary gRPC never has to understand."""


class Frame(NamedTuple):
    kind: int
    flags: int
    stream_id: int
    payload: bytes


def frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    size = len(payload)
    return _HEAD.pack(size >> 8, size & 0xFF, kind, flags, stream_id) + payload


def settings(values: dict[int, int]) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*each) for each in values.items()))


def read_settings(payload: bytes) -> dict[int, int]:
    return dict(_SETTING.iter_unpack(payload))


def window_update(size: int) -> bytes:
    """Let the other side send so many bytes more, on all streams together."""
    return frame(WINDOW_UPDATE, 0, 0, size.to_bytes(4, "big"))


class Reader:
    """Cuts the bytes that come in into frames; keeps what is not whole yet."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        if self._rest:
            data = self._rest + data
        start, end = 0, len(data)
        while end - start >= HEAD_BYTES:
            high, low, kind, flags, stream_id = _HEAD.unpack_from(data, start)
            stop = start + HEAD_BYTES + (high << 8 | low)
            if stop > end:
                break
            yield Frame(kind, flags, stream_id & LARGEST_WINDOW, data[start + HEAD_BYTES : stop])
            start = stop
        self._rest = data[start:]
