"""Receives what the subscription delivers, for as long as the process lives.

Google's own `subscribe` hands out one message of an ordering key at a time and waits for its
acknowledgement: a busy wallet would get one document per commit. The events need no order among
themselves, so this reads the stream below it, where Pub/Sub sends on without waiting.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from typing import Any

import structlog
from google.api_core.exceptions import DeadlineExceeded, GoogleAPICallError
from google.pubsub_v1 import SubscriberAsyncClient, types

from transaction_service.erp_sink.delivery import Delivery
from transaction_service.erp_sink.leases import Leases
from transaction_service.topology import ACK_DEADLINE_S

# How many messages, and bytes of them, Pub/Sub may have sent us that are not acknowledged. It
# keeps to that on each stream, and a new stream starts from nothing: so one is opened only when
# half of the room is free.
MAX_OUTSTANDING = 4_000
MAX_OUTSTANDING_BYTES = 64 * 1024 * 1024

# Never full while Pub/Sub keeps to the above. Emulators do not.
QUEUE_SIZE = 2 * MAX_OUTSTANDING

# After this the call's deadline ends a stream, and the next one is opened. Pub/Sub would bear a
# longer life; but Google's emulator (0.8.20, whose jar lacks a method that it calls when a client
# is gone) goes on delivering to a killed process until that deadline.
STREAM_LIFETIME_S = 20.0
PROBE_TIMEOUT_S = 2.0

_log = structlog.get_logger()


class Stream:
    """The deliveries of one subscription, one stream after another."""

    def __init__(
        self,
        client: SubscriberAsyncClient,
        subscription: str,
        client_id: str,
        prepare: Callable[[], Awaitable[None]],
        backoff: Callable[[], Iterator[float]],
    ) -> None:
        """`prepare` makes the subscription; `backoff` starts a row of delays in seconds."""
        self._client = client
        self._subscription = subscription
        self._client_id = client_id
        self._prepare = prepare
        self._backoff = backoff

    async def receive(self, leases: Leases, queue: asyncio.Queue[Delivery]) -> None:
        """Put deliveries on `queue`, each held in `leases`, until cancelled."""
        delays_s = self._backoff()
        while True:
            await leases.until_at_most(MAX_OUTSTANDING // 2)
            try:
                await self._prepare()
                async with aclosing(self._deliveries()) as deliveries:
                    async for some in deliveries:
                        delays_s = self._backoff()
                        leases.hold([each.ack_id for each in some])
                        for each in some:
                            await queue.put(each)
            except DeadlineExceeded:
                continue  # Its life is over; nothing is wrong.
            except GoogleAPICallError as error:
                _log.warning("the stream ended", error=repr(error))
            await asyncio.sleep(next(delays_s))

    async def probe(self) -> None:
        """Raise unless Pub/Sub answers and the subscription is there."""
        await self._client.get_subscription(
            subscription=self._subscription, timeout=PROBE_TIMEOUT_S, retry=None
        )

    async def _deliveries(self) -> AsyncGenerator[list[Delivery], None]:
        call: Any = await self._client.streaming_pull(
            timeout=STREAM_LIFETIME_S,
            retry=None,
            metadata=(("x-goog-request-params", f"subscription={self._subscription}"),),
        )
        try:
            with suppress(asyncio.InvalidStateError):  # It ended already: reading says why.
                await call.write(self._opening())
            async for response in call:
                # The plain protobuf message: many times faster to read than proto-plus.
                plain = types.StreamingPullResponse.pb(response)
                yield [_delivery(each) for each in plain.received_messages]
        finally:
            call.cancel()

    def _opening(self) -> types.StreamingPullRequest:
        return types.StreamingPullRequest(
            subscription=self._subscription,
            client_id=self._client_id,
            stream_ack_deadline_seconds=ACK_DEADLINE_S,
            max_outstanding_messages=MAX_OUTSTANDING,
            max_outstanding_bytes=MAX_OUTSTANDING_BYTES,
        )


def _delivery(received: Any) -> Delivery:
    message = received.message
    return Delivery(
        ack_id=received.ack_id,
        data=message.data,
        attributes=dict(message.attributes),
        ordering_key=message.ordering_key,
    )
