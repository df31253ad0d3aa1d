"""One HTTP/2 connection to a service, with many calls under way on it."""

import asyncio
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, cast

from bench.load.frames import (
    ACK,
    DATA,
    DEFAULT_FRAME_SIZE,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADER_TABLE_SIZE,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    LARGEST_WINDOW,
    MAX_CONCURRENT_STREAMS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Frame,
    ProtocolError,
    Reader,
    frame,
    read_settings,
    settings,
    window_update,
)
from bench.load.headers import Ending, Endings

_STREAM_WINDOW = 16 * 1024 * 1024
_TOP_UP_WINDOW_AFTER = 2**29

# A whole call: the frame of its headers, then the frame of its one message.
_CALL_HEADERS = struct.Struct(">HBBBI")
_CALL_DATA = struct.Struct(">HBBBIBI")
_MESSAGE_HEAD_BYTES = 5


class Call(NamedTuple):
    """What to send: the header block of the method, and the message."""

    headers: bytes
    message: bytes


class Answer(NamedTuple):
    """What came back, and how long it took from when it was due."""

    call: Call
    ending: Ending
    message: bytes
    """Without gRPC's five bytes before it; empty unless the ending is OK."""
    due_at: float
    seconds: float


class _Open:
    """A call under way."""

    __slots__ = ("call", "due_at", "received")

    def __init__(self, call: Call, due_at: float) -> None:
        self.call = call
        self.due_at = due_at
        self.received = b""


class Connection(asyncio.Protocol):
    """Sends calls as the server's windows allow, and hands every answer to `on_answer`.

    What `on_answer` sends goes out together with what else the same bytes set off. `ended` gets
    ProtocolError or ConnectionError when the connection can be used no longer.
    """

    def __init__(self, on_answer: Callable[["Connection", Answer], None]) -> None:
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._on_answer = on_answer
        self._endings = Endings()
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None
        self._open: dict[int, _Open] = {}
        self._waiting: deque[tuple[Call, float]] = deque()
        self._outgoing: list[bytes] = []
        self._next_stream_id = 1
        self._max_streams = LARGEST_WINDOW
        self._window = DEFAULT_WINDOW
        self._stream_window = DEFAULT_WINDOW
        self._received = 0

    @property
    def under_way(self) -> int:
        return len(self._open) + len(self._waiting)

    def send(self, call: Call, due_at: float) -> None:
        """Send a call with the next `flush`, or as soon as the server has room for it."""
        if self._waiting or not self._has_room(call):
            self._waiting.append((call, due_at))
        else:
            self._write(call, due_at)

    def flush(self) -> None:
        if self._outgoing and self._transport is not None:
            self._transport.write(b"".join(self._outgoing))
            self._outgoing.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class is not of it.
        # Without a dynamic table the server's header blocks are the same bytes each time.
        ours = settings({HEADER_TABLE_SIZE: 0, INITIAL_WINDOW_SIZE: _STREAM_WINDOW})
        self._transport.write(PREFACE + ours + window_update(LARGEST_WINDOW - DEFAULT_WINDOW))

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(ConnectionError(f"the server closed the connection: {exc}"))

    def data_received(self, data: bytes) -> None:
        try:
            for each in self._reader.feed(data):
                self._take(each)
        except ProtocolError as error:
            self._end(error)
        while self._waiting and self._has_room(self._waiting[0][0]):
            self._write(*self._waiting.popleft())
        self.flush()

    def close(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
        self.ended.exception()  # It is of no interest any more.
        if self._transport is not None:
            self._transport.close()

    def _end(self, error: Exception) -> None:
        for each in (self.ready, self.ended):
            if not each.done():
                each.set_exception(error)

    def _has_room(self, call: Call) -> bool:
        size = len(call.message) + _MESSAGE_HEAD_BYTES
        if size > min(DEFAULT_FRAME_SIZE, self._stream_window):
            raise ProtocolError(f"a message of {size} bytes does not fit one frame")
        return len(self._open) < self._max_streams and size <= self._window

    def _write(self, call: Call, due_at: float) -> None:
        headers, message = call
        stream_id = self._next_stream_id
        self._next_stream_id += 2
        self._open[stream_id] = _Open(call, due_at)
        size = len(message) + _MESSAGE_HEAD_BYTES
        self._window -= size
        length = len(headers)
        self._outgoing += (
            _CALL_HEADERS.pack(length >> 8, length & 0xFF, HEADERS, END_HEADERS, stream_id),
            headers,
            _CALL_DATA.pack(
                size >> 8, size & 0xFF, DATA, END_STREAM, stream_id, 0, size - _MESSAGE_HEAD_BYTES
            ),
            message,
        )

    def _take(self, got: Frame) -> None:
        kind, flags, stream_id, payload = got
        if kind == HEADERS:
            if flags & END_STREAM:
                self._answer(stream_id, self._ending(flags, payload))
        elif kind == DATA:
            self._take_data(flags, stream_id, payload)
        else:
            self._take_control(got)

    def _ending(self, flags: int, block: bytes) -> Ending:
        if flags & (PADDED | PRIORITY) or not flags & END_HEADERS:
            raise ProtocolError("headers that are padded, weighed or in several frames")
        return self._endings.of(block)

    def _take_data(self, flags: int, stream_id: int, payload: bytes) -> None:
        if flags & (PADDED | END_STREAM):
            raise ProtocolError("data that are padded, or end a call without a status")
        self._received += len(payload)
        if self._received > _TOP_UP_WINDOW_AFTER:
            self._outgoing.append(window_update(self._received))
            self._received = 0
        if stream_id in self._open:  # Else it was reset.
            self._open[stream_id].received += payload

    def _take_control(self, got: Frame) -> None:
        kind, flags, stream_id, payload = got
        if kind == SETTINGS and not flags & ACK:
            self._take_settings(read_settings(payload))
        elif kind == PING and not flags & ACK:
            self._outgoing.append(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE and stream_id == 0:
            self._window += int.from_bytes(payload, "big")
        elif kind == RST_STREAM:
            self._answer(stream_id, Ending(f"RST_STREAM_{int.from_bytes(payload, 'big')}"))
        elif kind == GOAWAY:
            raise ProtocolError(f"the server goes away: {payload!r}")

    def _take_settings(self, theirs: dict[int, int]) -> None:
        self._max_streams = theirs.get(MAX_CONCURRENT_STREAMS, self._max_streams)
        self._stream_window = theirs.get(INITIAL_WINDOW_SIZE, self._stream_window)
        self._outgoing.append(frame(SETTINGS, ACK, 0, b""))
        if not self.ready.done():
            self.ready.set_result(None)

    def _answer(self, stream_id: int, ending: Ending) -> None:
        done = self._open.pop(stream_id, None)
        if done is None:  # It was answered before its reset.
            return
        seconds = time.perf_counter() - done.due_at
        message = done.received[_MESSAGE_HEAD_BYTES:]
        self._on_answer(self, Answer(done.call, ending, message, done.due_at, seconds))
