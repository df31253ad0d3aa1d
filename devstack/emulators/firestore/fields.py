"""Paths into a document: `total.esign`, with backquotes around a name of other letters."""

import re
from collections.abc import Iterable, MutableMapping
from typing import TypeAlias

from devstack.emulators.firestore.wire import Document, Value, Wire

Path: TypeAlias = tuple[str, ...]
Fields: TypeAlias = MutableMapping[str, Wire]

DOCUMENT_NAME = "__name__"
_SEGMENT = re.compile(r"`((?:[^`\\]|\\.)+)`|([^.`]+)")


def path_of(text: str) -> Path:
    """Split a field path into the names on its way."""
    if "`" not in text:
        return tuple(text.split("."))
    return tuple(
        re.sub(r"\\(.)", r"\1", quoted) or plain for quoted, plain in _SEGMENT.findall(text)
    )


def value_at(document: Wire, path: Path) -> Wire | None:
    """Answer the value there, or None; the document's name is a value too."""
    if path == (DOCUMENT_NAME,):
        return Value(reference_value=document.name)
    return look_up(document.fields, path)


def look_up(fields: Fields, path: Path) -> Wire | None:
    for name in path[:-1]:
        if name not in fields:
            return None
        fields = fields[name].map_value.fields
    return fields.get(path[-1])


def assign(fields: Fields, path: Path, value: Wire) -> None:
    """Set the value there, making maps of what lies on the way."""
    for name in path[:-1]:
        step = fields[name]  # Made if it was missing.
        if step.WhichOneof("value_type") != "map_value":
            step.map_value.SetInParent()
        fields = step.map_value.fields
    fields[path[-1]].CopyFrom(value)


def remove(fields: Fields, path: Path) -> None:
    """Remove the value there, if there is one."""
    for name in path[:-1]:
        if name not in fields:
            return
        fields = fields[name].map_value.fields
    if path[-1] in fields:
        del fields[path[-1]]


def projected(document: Wire, paths: Iterable[Path]) -> Wire:
    """Copy a document with only the fields there."""
    copy = Document(
        name=document.name, create_time=document.create_time, update_time=document.update_time
    )
    for path in paths:
        if path != (DOCUMENT_NAME,) and (value := look_up(document.fields, path)) is not None:
            assign(copy.fields, path, value)
    return copy
