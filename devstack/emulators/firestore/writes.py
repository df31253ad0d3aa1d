"""What one write makes of one document. Nothing is stored here."""

from collections.abc import Iterable
from dataclasses import dataclass

import grpc

from devstack.emulators.firestore.fields import assign, look_up, path_of, remove
from devstack.emulators.firestore.transforms import transformed
from devstack.emulators.firestore.wire import Document, Wire, WriteResult
from devstack.emulators.serving import Refusal

_MAX_DOCUMENT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """The document afterwards, None if there is none, and what the writer is told."""

    document: Wire | None
    result: Wire


def target_of(write: Wire) -> str:
    """Answer the name of the document that a write is about."""
    return str(write.update.name or write.delete or write.transform.document)


def outcome_of(write: Wire, before: Wire | None, commit_time: Wire) -> Outcome:
    """Apply a write to the document as it stands, or refuse it."""
    _check_precondition(write, before)
    if write.WhichOneof("operation") == "delete":
        return Outcome(None, WriteResult())
    after = Document(name=target_of(write), create_time=commit_time, update_time=commit_time)
    if before:
        after.create_time.CopyFrom(before.create_time)
    _update_fields(after, write, before)
    told = _transform_fields(after, write, commit_time)
    if before and after.fields == before.fields:
        after.update_time.CopyFrom(before.update_time)
    if after.ByteSize() > _MAX_DOCUMENT_BYTES:
        message = f"Document {after.name} is larger than the limit of 1 MiB"
        raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
    return Outcome(after, WriteResult(update_time=after.update_time, transform_results=told))


def _check_precondition(write: Wire, before: Wire | None) -> None:
    wanted = write.current_document
    kind = wanted.WhichOneof("condition_type")
    name = target_of(write)
    if kind == "exists" and not wanted.exists and before:
        raise Refusal(grpc.StatusCode.ALREADY_EXISTS, f"Document already exists: {name}")
    if kind == "exists" and wanted.exists and not before:
        raise Refusal(grpc.StatusCode.NOT_FOUND, f"No document to update: {name}")
    if kind == "update_time" and not (before and before.update_time == wanted.update_time):
        message = f"The document was written at another time than wanted: {name}"
        raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, message)


def _update_fields(after: Wire, write: Wire, before: Wire | None) -> None:
    replaces = write.WhichOneof("operation") == "update" and not write.HasField("update_mask")
    if replaces:
        after.MergeFrom(Document(fields=write.update.fields))
        return
    if before:
        after.MergeFrom(Document(fields=before.fields))
    for path in map(path_of, write.update_mask.field_paths):
        value = look_up(write.update.fields, path)
        if value is None:
            remove(after.fields, path)
        else:
            assign(after.fields, path, value)


def _transform_fields(after: Wire, write: Wire, commit_time: Wire) -> Iterable[Wire]:
    told = []
    for transform in (*write.update_transforms, *write.transform.field_transforms):
        path = path_of(transform.field_path)
        value, result = transformed(transform, look_up(after.fields, path), commit_time)
        assign(after.fields, path, value)
        told.append(result)
    return told
