"""The event documents and the aggregates in Firestore."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from google.api_core.exceptions import Aborted, InvalidArgument
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient

from transaction_service.erp_sink.aggregates import FIELDS, Key, id_of, total_of
from transaction_service.erp_sink.document import Document, Value
from transaction_service.erp_sink.effects import Effects

COMMIT_TIMEOUT_S = 30.0
READ_TIMEOUT_S = 10.0
PROBE_TIMEOUT_S = 2.0

# Firestore takes 10 MiB a call, and Google's emulator 4. Too much is answered there with
# RESOURCE_EXHAUSTED, as if it could pass.
MAX_COMMIT_BYTES = 4_000_000

# The plain protobuf class below proto-plus: many times faster to fill.
_CommitRequest = types.CommitRequest.pb()
_SERVER_TIME = types.DocumentTransform.FieldTransform.ServerValue.REQUEST_TIME

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1


class Store:
    """Every call raises `GoogleAPICallError`.

    Commits that add to the same documents wait for each other, and for long: so each writer has a
    shard of the aggregates, and takes the next where it met another.
    """

    def __init__(
        self,
        client: FirestoreAsyncClient,
        project: str,
        collection: str,
        aggregates_collection: str,
        shards: Iterator[int],
    ) -> None:
        """`shards` never ends."""
        self._client = client
        self._database = f"projects/{project}/databases/(default)"
        self._collection = f"{self._database}/documents/{collection}"
        self._aggregates = f"{self._database}/documents/{aggregates_collection}"
        self._shards = shards
        self._shard = next(shards)

    async def write(self, effects: Effects) -> None:
        """Create the documents and add to the aggregates (one commit's), all or none.

        Each document gets the server's time as `written_time`. Raises `InvalidArgument` for what
        is wrong or too large, `AlreadyExists` if any of the documents is there, and `Aborted` where
        others wrote to the same shard.
        """
        request = _CommitRequest(database=self._database)
        for document_id, effect in effects.items():
            self._fill_creation(request.writes.add(), document_id, effect.document)
        # In the same order for everybody: commits that meet on two aggregates must not lock
        # one each, and wait for the other.
        for key, added in sorted(total_of(each.additions for each in effects.values()).items()):
            self._fill_addition(request.writes.add(), key, added)
        if (size_bytes := request.ByteSize()) > MAX_COMMIT_BYTES:
            message = f"a commit of {size_bytes} bytes is larger than {MAX_COMMIT_BYTES}"
            raise InvalidArgument(message)
        try:
            await self._client.commit(
                request=types.CommitRequest.wrap(request), timeout=COMMIT_TIMEOUT_S, retry=None
            )
        except Aborted:
            self._shard = next(self._shards)
            raise

    async def existing(self, document_ids: Collection[str]) -> set[str]:
        """Answer which of `document_ids` are there."""
        answers = await self._client.batch_get_documents(
            request=types.BatchGetDocumentsRequest(
                database=self._database,
                documents=[f"{self._collection}/{each}" for each in document_ids],
                mask=types.DocumentMask(field_paths=["transaction_id"]),
            ),
            timeout=READ_TIMEOUT_S,
            retry=None,
        )
        response = types.BatchGetDocumentsResponse
        found = {response.pb(each).found.name async for each in answers}
        return {each for each in document_ids if f"{self._collection}/{each}" in found}

    def _fill_creation(self, write: Any, document_id: str, document: Document) -> None:
        write.update.name = f"{self._collection}/{document_id}"
        write.current_document.exists = False
        write.update_transforms.add(field_path="written_time", set_to_server_value=_SERVER_TIME)
        for name, value in document.items():
            _fill(write.update.fields[name], value)

    def _fill_addition(self, write: Any, key: Key, added: Mapping[str, int]) -> None:
        write.update.name = f"{self._aggregates}/{id_of(key, self._shard)}"
        for name, value in key._asdict().items():
            write.update.fields[name].string_value = value
            write.update_mask.field_paths.append(name)
        for name in FIELDS:
            # Firestore's own sums end there too: a poison event must not end the process instead.
            within = max(_INT64_MIN, min(_INT64_MAX, added.get(name, 0)))
            write.update_transforms.add(field_path=name).increment.integer_value = within

    async def probe(self) -> None:
        """Raise unless Firestore answers."""
        async for _ in await self._client.batch_get_documents(
            request=types.BatchGetDocumentsRequest(
                database=self._database, documents=[f"{self._collection}/probe"]
            ),
            timeout=PROBE_TIMEOUT_S,
            retry=None,
        ):
            return


def _fill(target: Any, value: Value) -> None:
    """Set a Firestore `Value` to `value`."""
    match value:
        case str():
            target.string_value = value
        case int():
            target.integer_value = value
        case datetime():
            target.timestamp_value.FromDatetime(value)
        case Mapping():
            target.map_value.SetInParent()
            for name, each in value.items():
                _fill(target.map_value.fields[name], each)
        case Sequence():
            target.array_value.SetInParent()
            for each in value:
                _fill(target.array_value.values.add(), each)
