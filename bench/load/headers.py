"""Header blocks (HPACK, RFC 7541) without any state: the same bytes always mean the same."""

from typing import NamedTuple
from urllib.parse import unquote

import hpack
from grpc import StatusCode

_MEANINGS_KEPT = 10_000
_STATUS_NAMES = {code.value[0]: code.name for code in StatusCode}


def request_headers(authority: str, path: str) -> bytes:
    """Make the block of a unary gRPC call, no field of it ever indexed."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": authority,
        "te": "trailers",
        "content-type": "application/grpc",
        "grpc-timeout": "30S",
    }
    never_indexed = [hpack.NeverIndexedHeaderTuple(*each) for each in fields.items()]
    return hpack.Encoder().encode(never_indexed, huffman=False)


class Ending(NamedTuple):
    """How a call ended: gRPC's name of the status, and what the server said."""

    status: str
    message: str = ""


class Endings:
    """Reads trailers. Most are the same bytes as the last ones, and are decoded once only.

    That is right because the server was told to keep no dynamic table: see `Connection`.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Ending] = {}

    def of(self, block: bytes) -> Ending:
        ending = self._known.get(block)
        if ending is None:
            if len(self._known) >= _MEANINGS_KEPT:
                self._known.clear()
            ending = self._known[block] = _decoded(block)
        return ending


def _decoded(block: bytes) -> Ending:
    decoder = hpack.Decoder()
    decoder.max_allowed_table_size = 0
    decoder.header_table_size = 0
    fields = {_str(name): _str(value) for name, value in decoder.decode(block)}
    code = fields.get("grpc-status")
    if code is None:
        return Ending("NO_STATUS", f"HTTP status {fields.get(':status', 'missing')}")
    return Ending(
        _STATUS_NAMES.get(int(code), f"CODE_{code}"), unquote(fields.get("grpc-message", ""))
    )


def _str(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
