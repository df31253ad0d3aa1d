"""The native engine's server, which refuses a call before anything is made for it."""

from collections.abc import Sequence
from typing import Any

from pygrpc_native import EVENT_CALL
from pygrpc_native.aio import Server

from shared.rpc_edge import Edge


class NativeServer(Server):
    """The package's server, but for calls that the edge would turn away.

    The package makes a call, a context and a task for each before the edge hears of it. Where far
    more is asked than can be done, most calls are refused, and that is taken from the rest.
    `_on_events`, where it begins, is the package's own affair: `docs/decisions/engines.md`.
    """

    def __init__(self, options: Sequence[tuple[str, Any]], edge: Edge) -> None:
        # One thread of the engine carries more than Python can answer; two change places all the
        # time.
        super().__init__(options=options, io_threads=1)
        self._edge = edge

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
