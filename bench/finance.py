"""How far Firestore is with the events of a ledger on which every transaction has one."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
import grpc
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from google.protobuf.timestamp_pb2 import Timestamp

from wallet_service.ids import transaction_text

COLLECTION = "cost_revenue_events"
_POLL_S = 0.5
_AT_LEAST = types.StructuredQuery.FieldFilter.Operator.GREATER_THAN_OR_EQUAL
_TIMEOUT_S = 60.0
_CATCH_UP_TIMEOUT_S = 600.0

TRANSACTIONS = "SELECT count(*) FROM transactions"

LAST_TRANSACTION = "SELECT max(transaction_id) FROM transactions"


class Finance:
    """Counts. `loaded` transactions have no event; documents are below `parent`."""

    def __init__(
        self,
        ledger: "asyncpg.Connection[asyncpg.Record]",
        client: FirestoreAsyncClient,
        parent: str,
        loaded: int,
    ) -> None:
        self._ledger = ledger
        self._client = client
        self._parent = parent
        self._loaded = loaded

    async def events(self) -> int:
        """Count what was committed."""
        return int(await self._ledger.fetchval(TRANSACTIONS)) - self._loaded

    async def documents(self) -> int:
        """Count what is in Firestore."""
        aggregation = types.StructuredAggregationQuery.Aggregation
        query = types.StructuredAggregationQuery(
            structured_query=_query(),
            aggregations=[aggregation(alias="all", count=aggregation.Count())],
        )
        request = types.RunAggregationQueryRequest(
            parent=self._parent, structured_aggregation_query=query
        )
        answers = await self._client.run_aggregation_query(
            request=request, timeout=_TIMEOUT_S, retry=None
        )
        async for answer in answers:
            return int(answer.result.aggregate_fields["all"].integer_value)
        raise RuntimeError("Firestore answered a count with nothing")

    async def catch_up_s(self) -> float:
        """Wait until everything is in Firestore; answer how long that took.

        All are counted only when the last one is there: the emulator counts slowly.
        """
        started = time.perf_counter()
        events, last = await self.events(), await self._ledger.fetchval(LAST_TRANSACTION)
        while (elapsed_s := time.perf_counter() - started) < _CATCH_UP_TIMEOUT_S:
            if await self._has(transaction_text(last)) and await self.documents() >= events:
                return elapsed_s
            await asyncio.sleep(_POLL_S)
        raise TimeoutError(f"{events} events are not in Firestore after {_CATCH_UP_TIMEOUT_S} s")

    async def _has(self, document_id: str) -> bool:
        name = f"{self._parent}/{COLLECTION}/{document_id}"
        answers = await self._client.batch_get_documents(
            request=types.BatchGetDocumentsRequest(
                database=self._parent.removesuffix("/documents"),
                documents=[name],
                mask=types.DocumentMask(field_paths=["transaction_id"]),
            ),
            timeout=_TIMEOUT_S,
            retry=None,
        )
        async for answer in answers:
            return bool(answer.found.name)
        return False

    async def delays_s(self, since: datetime) -> list[float]:
        """Say, of what was committed since, how long after its commit it was in Firestore."""
        query = _query("create_time", "written_time")
        committed_since = query.where.field_filter
        committed_since.field.field_path = "create_time"
        committed_since.op = types.StructuredQuery.FieldFilter.Operator(_AT_LEAST)
        committed_since.value.timestamp_value = _timestamp(since)
        answers = await self._client.run_query(
            request=types.RunQueryRequest(parent=self._parent, structured_query=query),
            timeout=_TIMEOUT_S,
            retry=None,
        )
        found = types.RunQueryResponse
        return [_delay_s(found.pb(each).document) async for each in answers if each.document.name]


@asynccontextmanager
async def open_finance(environment: Mapping[str, str], loaded: int) -> AsyncIterator[Finance]:
    """Look at the ledger and the Firestore of that environment."""
    ledger = await asyncpg.connect(environment["WALLET_OWNER_DATABASE_URL"], timeout=_TIMEOUT_S)
    project = environment["GOOGLE_CLOUD_PROJECT"]
    try:
        async with grpc.aio.insecure_channel(environment["FIRESTORE_EMULATOR_HOST"]) as channel:
            client = FirestoreAsyncClient(transport=FirestoreGrpcAsyncIOTransport(channel=channel))
            parent = f"projects/{project}/databases/(default)/documents"
            yield Finance(ledger, client, parent, loaded)
    finally:
        await ledger.close()


def percentile(values: list[float], percent: float) -> float:
    """Give the value below which so many percent are, the nearest rank."""
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]


def _query(*fields: str) -> types.StructuredQuery:
    query = types.StructuredQuery(
        from_=[types.StructuredQuery.CollectionSelector(collection_id=COLLECTION)]
    )
    for each in fields:
        query.select.fields.append(types.StructuredQuery.FieldReference(field_path=each))
    return query


def _timestamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def _delay_s(document: types.Document) -> float:
    written, created = (
        document.fields[name].timestamp_value.ToMicroseconds()
        for name in ("written_time", "create_time")
    )
    return float(written - created) / 1e6
