"""Publish requests, each a call of its own."""

from typing import Any

from google.pubsub_v1 import PublisherAsyncClient, types

PUBLISH_TIMEOUT_S = 5.0

_PublishRequest = types.PublishRequest.pb()


class Sender:
    """Calls Pub/Sub below Google's client: what that does around a call takes a third of its time.

    There are as many calls as there are wallets with events, so it counts.
    """

    def __init__(self, client: PublisherAsyncClient) -> None:
        transport: Any = client.transport  # It is declared as what has no channel.
        self._publish = transport.grpc_channel.unary_unary(
            "/google.pubsub.v1.Publisher/Publish",
            request_serializer=_PublishRequest.SerializeToString,
        )

    async def send(self, request: Any) -> None:
        """Return when Pub/Sub has a plain `PublishRequest`'s messages durably.

        Raises `AioRpcError`.
        """
        routing = ("x-goog-request-params", f"topic={request.topic}")
        await self._publish(request, timeout=PUBLISH_TIMEOUT_S, metadata=(routing,))
