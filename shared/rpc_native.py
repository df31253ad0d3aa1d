"""The native engine's server, made to work by the batch and to refuse calls cheaply."""

import time
from collections.abc import Sequence
from typing import Any

from pygrpc_native import EVENT_CALL
from pygrpc_native.aio import Server

from shared.rpc_edge import Edge

MAX_CALLS_AT_ONCE = 256
BUSY_FROM_CALLS = 32
GATHER_S = 0.002


class NativeServer(Server):
    """The package's server, with two things done otherwise, where a call comes into Python.

    While many calls are under way, those that come gather for a moment: each waking of Python
    costs as much as several calls, and these wait for others' batches anyway. And a call that the
    edge would turn away is refused before the package makes a call, a context and a task for it:
    where far more is asked than can be done, that is taken from the rest.

    `_dispatch` and `_on_events` are the package's own affair: `docs/decisions/engines.md`.
    """

    def __init__(self, options: Sequence[tuple[str, Any]], edge: Edge) -> None:
        # One thread of the engine carries more than Python can answer; two change places all the
        # time.
        super().__init__(options=options, io_threads=1)
        self._edge = edge

    def _dispatch(self) -> None:
        """Hand calls to the loop as they come; runs in a thread of its own."""
        if self._front is None or self._loop is None:
            raise RuntimeError("the server was not started")
        while (events := self._front.recv_batch_details(MAX_CALLS_AT_ONCE)) is not None:
            self._loop.call_soon_threadsafe(self._on_events, events)
            if len(self._calls) >= BUSY_FROM_CALLS:
                time.sleep(GATHER_S)

    def _on_events(self, events: list[tuple[Any, ...]]) -> None:
        super()._on_events([event for event in events if not self._refuses(event)])

    def _refuses(self, event: tuple[Any, ...]) -> bool:
        kind, call_id, method_id, body, *_ = event
        if kind != EVENT_CALL or self._front is None:
            return False
        method, _ = self._table[method_id]
        if (refusal := self._edge.refusal(method, len(body))) is None:
            return False
        error, metadata = refusal
        self._front.fail(call_id, error.code, error.message, metadata)
        return True
