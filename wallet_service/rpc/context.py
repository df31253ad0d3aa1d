"""What all calls have in common."""

from typing import Any, TypeAlias

import grpc
from google.protobuf.message import Message

from shared.idempotency import body_digest

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


def query_of(request: Message) -> str:
    """Name what is asked for, whichever page of it."""
    query = type(request)()
    query.CopyFrom(request)
    for field in ("page_size", "page_token"):
        query.ClearField(field)
    return body_digest(query).hex()
