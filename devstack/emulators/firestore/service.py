"""The gRPC service of Firestore, over a store."""

from collections.abc import Iterator, Sequence

import grpc
from google.protobuf.empty_pb2 import Empty
from google.rpc.status_pb2 import Status

from devstack.emulators.clock import Clock
from devstack.emulators.firestore import wire
from devstack.emulators.firestore.aggregation import aggregated
from devstack.emulators.firestore.fields import path_of, projected
from devstack.emulators.firestore.query import find
from devstack.emulators.firestore.store import Store, check_writes
from devstack.emulators.firestore.transactions import Read, Transactions
from devstack.emulators.firestore.wire import Wire
from devstack.emulators.firestore.writes import target_of
from devstack.emulators.paging import page_of
from devstack.emulators.serving import Refusal, Services, streaming, unary


def services(store: Store, clock: Clock) -> Services:
    transactions = Transactions()
    reader, writer = Reader(store, transactions, clock), Writer(store, transactions, clock)
    return {
        "google.firestore.v1.Firestore": {
            "BatchGetDocuments": streaming(wire.BatchGetDocumentsRequest, reader.batch_get),
            "ListCollectionIds": unary(wire.ListCollectionIdsRequest, reader.list_collections),
            "ListDocuments": unary(wire.ListDocumentsRequest, reader.list_documents),
            "RunAggregationQuery": streaming(wire.RunAggregationQueryRequest, reader.aggregate),
            "RunQuery": streaming(wire.RunQueryRequest, reader.run_query),
            "BatchWrite": unary(wire.BatchWriteRequest, writer.batch_write),
            "BeginTransaction": unary(wire.BeginTransactionRequest, writer.begin),
            "Commit": unary(wire.CommitRequest, writer.commit),
            "Rollback": unary(wire.RollbackRequest, writer.rollback),
        }
    }


class Reader:
    def __init__(self, store: Store, transactions: Transactions, clock: Clock) -> None:
        self._store = store
        self._transactions = transactions
        self._clock = clock

    def batch_get(self, request: Wire) -> Iterator[Wire]:
        names = list(request.documents)
        found = self._read(request, lambda: [self._store.get(name) for name in names])
        read_time = self._store.time(self._clock())
        paths = [path_of(each) for each in request.mask.field_paths]
        for name, document in zip(names, found, strict=True):
            if document is None:
                yield wire.BatchGetDocumentsResponse(missing=name, read_time=read_time)
            else:
                shown = projected(document, paths) if request.HasField("mask") else document
                yield wire.BatchGetDocumentsResponse(found=shown, read_time=read_time)

    def run_query(self, request: Wire) -> Iterator[Wire]:
        found = self._find(request, request.structured_query)
        read_time = self._store.time(self._clock())
        for document in found:
            yield wire.RunQueryResponse(document=document, read_time=read_time)
        if not found:
            yield wire.RunQueryResponse(read_time=read_time)

    def aggregate(self, request: Wire) -> Iterator[Wire]:
        query = request.structured_aggregation_query
        found = self._find(request, query.structured_query)
        yield wire.RunAggregationQueryResponse(
            result=aggregated(query.aggregations, found),
            read_time=self._store.time(self._clock()),
        )

    def list_documents(self, request: Wire) -> Wire:
        collection = f"{request.parent}/{request.collection_id}"
        names = {document.name for document in self._store.collection(collection)}
        if request.show_missing:
            names |= {_ancestor(path, collection) for path in self._store.collections(collection)}
        page, token = page_of(names, request.page_size, request.page_token)
        found = self._read(request, lambda: [self._store.get(name) for name in page])
        paths = [path_of(each) for each in request.mask.field_paths]
        response = wire.ListDocumentsResponse(next_page_token=token)
        for name, document in zip(page, found, strict=True):
            listed = document or wire.Document(name=name)
            masked = request.HasField("mask")
            response.documents.append(projected(listed, paths) if masked else listed)
        return response

    def list_collections(self, request: Wire) -> Wire:
        start = len(request.parent) + 1
        ids = {path[start:].partition("/")[0] for path in self._store.collections(request.parent)}
        page, token = page_of(ids, request.page_size, request.page_token)
        return wire.ListCollectionIdsResponse(collection_ids=page, next_page_token=token)

    def _find(self, request: Wire, query: Wire) -> Sequence[Wire]:
        found = self._read(request, lambda: find(self._store, request.parent, query))
        return [document for document in found if document]

    def _read(self, request: Wire, read: Read) -> Sequence[Wire | None]:
        if request.WhichOneof("consistency_selector") in {"read_time", "new_transaction"}:
            message = "This stand-in reads only the present, in transactions begun before"
            raise Refusal(grpc.StatusCode.UNIMPLEMENTED, message)
        found = read()
        if request.transaction:
            self._transactions.get(request.transaction).watch(read, found)
        return found


class Writer:
    def __init__(self, store: Store, transactions: Transactions, clock: Clock) -> None:
        self._store = store
        self._transactions = transactions
        self._clock = clock

    def begin(self, request: Wire) -> Wire:
        read_only = request.options.HasField("read_only")
        token = self._transactions.begin(read_only=read_only, now_s=self._clock())
        return wire.BeginTransactionResponse(transaction=token)

    def rollback(self, request: Wire) -> Empty:
        self._transactions.end(request.transaction)
        return Empty()

    def commit(self, request: Wire) -> Wire:
        """Apply all writes or none; the transaction, if there is one, ends either way."""
        if request.transaction:
            transaction = self._transactions.end(request.transaction)
            transaction.check_commit(writes=bool(request.writes))
        commit_time = self._store.time(self._clock())
        results = self._store.commit(request.writes, commit_time)
        return wire.CommitResponse(write_results=results, commit_time=commit_time)

    def batch_write(self, request: Wire) -> Wire:
        """Apply each write for itself, and answer how each went."""
        check_writes(request.writes)
        if len({target_of(write) for write in request.writes}) < len(request.writes):
            message = "Cannot write to the same document more than once in a batch write"
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
        response = wire.BatchWriteResponse()
        for write in request.writes:
            result, status = self._write_alone(write)
            response.write_results.append(result)
            response.status.append(status)
        return response

    def _write_alone(self, write: Wire) -> tuple[Wire, Status]:
        try:
            (result,) = self._store.commit([write], self._store.time(self._clock()))
        except Refusal as refusal:
            return wire.WriteResult(), Status(code=refusal.code.value[0], message=refusal.message)
        return result, Status()


def _ancestor(path: str, collection: str) -> str:
    """Answer the name of the document in `collection` that a collection `path` lies below."""
    document_id = path[len(collection) + 1 :].partition("/")[0]
    return f"{collection}/{document_id}"
