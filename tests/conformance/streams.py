"""Streaming pulls without the machinery that Google's client builds around them."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from google.pubsub_v1.types import ReceivedMessage, StreamingPullRequest

from tests.conformance.pubsub_calls import WITHIN_S, PubSub, bodies, eventually

ACK_DEADLINE_S = 10


class Stream:
    """A bare streaming pull, whose messages are settled by calls of their own."""

    def __init__(self, pubsub: PubSub, subscription: str, limit: int = 0) -> None:
        self._requests: queue.Queue[StreamingPullRequest | None] = queue.Queue()
        self._requests.put(
            StreamingPullRequest(
                subscription=subscription,
                stream_ack_deadline_seconds=ACK_DEADLINE_S,
                max_outstanding_messages=limit,
            )
        )
        self.received: list[ReceivedMessage] = []
        self._responses: Any = pubsub.subscriber.streaming_pull(
            requests=iter(self._requests.get, None), timeout=60
        )
        self.error: Exception | None = None
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, count: int, within_s: float = WITHIN_S) -> None:
        eventually(
            lambda: len(self.received) >= count,
            lambda: f"{count} messages, got {bodies(self.received)}",
            within_s,
        )

    def close(self) -> None:
        self._responses.cancel()
        self._requests.put(None)
        self._reader.join()

    def _read(self) -> None:
        try:
            for response in self._responses:
                self.received.extend(response.received_messages)
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            self.error = error


@contextmanager
def streaming(pubsub: PubSub, subscription: str, limit: int = 0) -> Iterator[Stream]:
    stream = Stream(pubsub, subscription, limit)
    try:
        yield stream
    finally:
        stream.close()
