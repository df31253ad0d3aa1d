"""Google's Firestore clients, as the tests use them."""

import uuid
from types import TracebackType
from typing import Self, TypeVar

import grpc
import pytest
from google.cloud.firestore import AsyncClient, Client
from google.cloud.firestore_v1 import CollectionReference, DocumentReference, types
from google.cloud.firestore_v1.base_client import BaseClient
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

AnyClient = TypeVar("AnyClient", bound=BaseClient)
TIMEOUT_S = 10.0
# Google's emulator lets in whoever says so.
OWNER = [("authorization", "Bearer owner")]


class Firestore:
    """The clients of one emulator, and collections that no other test uses."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._channel = grpc.insecure_channel(address)
        self._calls = FirestoreClient(transport=FirestoreGrpcTransport(channel=self._channel))
        self.client = self._made(Client)
        self._database = self.client._database_string  # noqa: SLF001 (has no other name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.client.close()
        self._channel.close()

    def collection(self) -> CollectionReference:
        return self.client.collection(f"test-{uuid.uuid4().hex}")

    def async_client(self) -> AsyncClient:
        """Make a client for the event loop of a test."""
        return self._made(AsyncClient)

    def write(self, document: DocumentReference) -> types.Write:
        """Build the write of an empty document."""
        name = document._document_path  # noqa: SLF001 (has no other name)
        return types.Write(update=types.Document(name=name))

    def begin(self, *, read_only: bool = False) -> bytes:
        """Begin a transaction and answer its token."""
        mode = "read_only" if read_only else "read_write"
        answer = self._calls.begin_transaction(
            request={"database": self._database, "options": {mode: {}}},
            metadata=OWNER,
            timeout=TIMEOUT_S,
        )
        return answer.transaction

    def commit(self, *writes: types.Write, transaction: bytes = b"") -> types.CommitResponse:
        return self._calls.commit(
            request={
                "database": self._database,
                "writes": list(writes),
                "transaction": transaction,
            },
            metadata=OWNER,
            timeout=TIMEOUT_S,
        )

    def batch_write(self, *writes: types.Write) -> types.BatchWriteResponse:
        return self._calls.batch_write(
            request={"database": self._database, "writes": list(writes)},
            metadata=OWNER,
            timeout=TIMEOUT_S,
        )

    def _made(self, kind: type[AnyClient]) -> AnyClient:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FIRESTORE_EMULATOR_HOST", self._address)
            return kind(project="test-project")
