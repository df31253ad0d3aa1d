"""Writes: preconditions, masks, transforms, and commits that happen whole or not at all."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import (
    AlreadyExists,
    FailedPrecondition,
    GoogleAPICallError,
    InvalidArgument,
    NotFound,
)
from google.cloud.firestore import (
    DELETE_FIELD,
    SERVER_TIMESTAMP,
    ArrayRemove,
    ArrayUnion,
    GeoPoint,
    Increment,
    Maximum,
    Minimum,
)
from google.cloud.firestore_v1 import DocumentReference, types
from google.rpc.code_pb2 import ALREADY_EXISTS, NOT_FOUND, OK

from tests.conformance.firestore_calls import Firestore


def content(document: DocumentReference) -> Any:
    return document.get().to_dict()


def test_every_type_of_value_is_kept(firestore: Firestore) -> None:
    """What is written is read again, whatever its type, also inside maps and arrays."""
    document = firestore.collection().document("types")
    written: dict[str, Any] = {
        "null": None,
        "boolean": True,
        "integer": 2**63 - 1,
        "double": 0.1,
        "infinity": -math.inf,
        "time": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        "text": "Zażółć 🙂",
        "bytes": b"\x00\xff",
        "place": GeoPoint(-6.2, 106.8),
        "array": [1, "two", {"three": [3]}],
        "map": {"inner": {"empty": {}, "list": []}},
        "odd `name`.\\here": 1,
    }

    document.set(written)

    assert content(document) == written


def test_create_wants_no_document_to_be_there(firestore: Firestore) -> None:
    """The second creation is ALREADY_EXISTS and changes nothing."""
    document = firestore.collection().document("one")
    document.create({"version": 1})

    with pytest.raises(AlreadyExists):
        document.create({"version": 2})

    assert content(document) == {"version": 1}


def test_update_wants_a_document_to_be_there(firestore: Firestore) -> None:
    """Updating, or deleting on condition, what is missing is NOT_FOUND."""
    document = firestore.collection().document("missing")

    with pytest.raises(NotFound):
        document.update({"version": 1})
    with pytest.raises(NotFound):
        document.delete(firestore.client.write_option(exists=True))
    document.delete()

    assert not document.get().exists


def test_a_write_may_want_a_certain_version(firestore: Firestore) -> None:
    """With the last update time as its condition, only the first of two writers gets through."""
    document = firestore.collection().document("one")
    document.set({"version": 1})
    seen = firestore.client.write_option(last_update_time=document.get().update_time)

    document.update({"version": 2}, seen)

    with pytest.raises(FailedPrecondition):
        document.update({"version": 3}, seen)
    with pytest.raises(FailedPrecondition):
        document.delete(seen)
    assert content(document) == {"version": 2}


def test_times_tell_creation_from_change(firestore: Firestore) -> None:
    """A change moves the update time only, and a write that changes nothing moves none."""
    document = firestore.collection().document("one")
    document.set({"version": 1})
    first = document.get()

    document.set({"version": 1})
    unchanged = document.get()
    document.set({"version": 2})
    changed = document.get()

    assert unchanged.update_time == first.update_time
    assert changed.update_time > first.update_time
    assert changed.create_time == first.create_time
    assert changed.read_time >= changed.update_time


def test_set_replaces_and_merge_does_not(firestore: Firestore) -> None:
    """A plain set forgets other fields; a merge keeps them, level by level."""
    document = firestore.collection().document("one")
    document.set({"a": 1, "map": {"x": 1, "y": 2}})

    document.set({"b": 2, "map": {"x": 3}}, merge=True)
    assert content(document) == {"a": 1, "b": 2, "map": {"x": 3, "y": 2}}

    document.set({"c": 3})
    assert content(document) == {"c": 3}


def test_update_reaches_into_maps(firestore: Firestore) -> None:
    """Field paths set, make and delete single fields, also of names that need quoting."""
    document = firestore.collection().document("one")
    document.set({"map": {"kept": 1, "dropped": 2}, "scalar": 3})

    document.update(
        {
            "map.dropped": DELETE_FIELD,
            "map.`a.b`": 4,
            "made.on.the.way": 5,
            "scalar.becomes": "a map",
            "absent": DELETE_FIELD,
        }
    )

    assert content(document) == {
        "map": {"kept": 1, "a.b": 4},
        "made": {"on": {"the": {"way": 5}}},
        "scalar": {"becomes": "a map"},
    }


@pytest.mark.parametrize(
    ("before", "transform", "after"),
    [
        (5, Increment(2), 7),
        (5, Increment(-7), -2),
        (5, Increment(0.5), 5.5),
        (1.5, Increment(1), 2.5),
        ("text", Increment(3), 3),
        (None, Increment(3), 3),
        (2**63 - 1, Increment(1), 2**63 - 1),
        (-(2**63), Increment(-1), -(2**63)),
        (5, Maximum(7), 7),
        (5, Maximum(3), 5),
        (3, Maximum(3.0), 3),
        ("text", Maximum(3), 3),
        (5, Minimum(7), 5),
        (5, Minimum(2.5), 2.5),
        (None, Minimum(2), 2),
        ([1, 2], ArrayUnion([2, 3, 3]), [1, 2, 3]),
        ([1, 2], ArrayUnion([1.0, "x"]), [1, 2, "x"]),
        ("text", ArrayUnion([1]), [1]),
        ([1, 2, 1, {"k": 1}], ArrayRemove([1, {"k": 1}]), [2]),
        (None, ArrayRemove([1]), []),
    ],
)
def test_a_transform_makes_the_new_value_of_the_old(
    firestore: Firestore, before: Any, transform: Any, after: Any
) -> None:
    """Increments, extremes and array operations start from what is stored, or from nothing."""
    document = firestore.collection().document("one")
    document.set({} if before is None else {"map": {"field": before}})

    document.update({"map.field": transform, "other": 1})

    result = content(document)
    assert result == {"map": {"field": after}, "other": 1}
    assert type(result["map"]["field"]) is type(after)


def test_a_transform_answers_its_result(firestore: Firestore) -> None:
    """The writer is told the new values, in the order of the fields."""
    document = firestore.collection().document("one")
    document.set({"count": 5})

    written = document.update({"count": Increment(2), "tags": ArrayUnion(["new"])})

    count, tags = written.transform_results
    assert count.integer_value == 7
    assert types.Value.pb(tags).WhichOneof("value_type") == "null_value"


def test_a_commit_has_one_time(firestore: Firestore) -> None:
    """All server timestamps of a commit are equal, near its time, and read as written."""
    collection = firestore.collection()
    batch = firestore.client.batch()
    for name in ("one", "other"):
        batch.set(collection.document(name), {"at": SERVER_TIMESTAMP})

    results = batch.commit()

    one, other = (content(collection.document(name))["at"] for name in ("one", "other"))
    assert one == other
    assert one <= batch.commit_time
    assert batch.commit_time - one < timedelta(seconds=1)
    assert results[0].update_time == results[1].update_time


def test_a_commit_happens_whole_or_not_at_all(firestore: Firestore) -> None:
    """If one write of a commit is refused, none has any effect."""
    collection = firestore.collection()
    collection.document("there").set({"version": 1})
    collection.document("total").set({"count": 1})
    batch = firestore.client.batch()
    batch.create(collection.document("new"), {"version": 1})
    batch.update(collection.document("total"), {"count": Increment(1)})
    batch.delete(collection.document("there"))
    batch.create(collection.document("total"), {})

    with pytest.raises(GoogleAPICallError):
        batch.commit()

    found = {each.id: each.to_dict() for each in collection.stream()}
    assert found == {"there": {"version": 1}, "total": {"count": 1}}


def test_an_event_is_recorded_once(firestore: Firestore) -> None:
    """Events that must not exist yet and the totals of their commit go in together, or neither."""
    collection = firestore.collection()
    total = collection.document("total")

    def record(*events: str) -> None:
        batch = firestore.client.batch()
        for event in events:
            batch.create(collection.document(event), {"amount_minor": 100})
        batch.set(total, {"amount_minor": Increment(100 * len(events))}, merge=True)
        batch.commit()

    record("a", "b")
    with pytest.raises(AlreadyExists):
        record("b", "c")
    record("c")

    assert content(total) == {"amount_minor": 300}


def test_writes_of_a_commit_build_on_each_other(firestore: Firestore) -> None:
    """A later write of the same commit sees what an earlier one did to its document."""
    document = firestore.collection().document("one")
    batch = firestore.client.batch()
    batch.set(document, {"count": 1})
    batch.update(document, {"count": Increment(2)})
    batch.update(document, {"count": Increment(4)})

    batch.commit()

    assert content(document) == {"count": 7}


def test_500_writes_go_into_a_commit(firestore: Firestore) -> None:
    """A commit of 500 documents is taken."""
    collection = firestore.collection()
    batch = firestore.client.batch()
    for number in range(500):
        batch.create(collection.document(f"{number:03}"), {"number": number})

    batch.commit()

    assert [each.id for each in collection.stream()] == [f"{number:03}" for number in range(500)]


@pytest.mark.google_differs("takes more than 500 writes")
def test_501_writes_do_not(firestore: Firestore) -> None:
    """A commit of more is refused whole."""
    collection = firestore.collection()
    batch = firestore.client.batch()
    for number in range(501):
        batch.create(collection.document(str(number)), {})

    with pytest.raises(InvalidArgument):
        batch.commit()

    assert not list(collection.limit(1).stream())


def test_a_document_has_a_largest_size(firestore: Firestore) -> None:
    """A document of more than 1 MiB is refused."""
    document = firestore.collection().document("large")

    with pytest.raises(InvalidArgument):
        document.set({"text": "x" * 1_100_000})

    assert not document.get().exists


DOCUMENTS = "projects/p/databases/(default)/documents"


@pytest.mark.parametrize("path", ["__finance__/a", "a/__a__", "a/..", "a/.", "a/a/__b__/a"])
def test_a_reserved_name_is_refused(firestore: Firestore, path: str) -> None:
    """Firestore keeps some ids, of collections and of documents, for itself."""
    with pytest.raises(InvalidArgument):
        firestore.commit(types.Write(update=types.Document(name=f"{DOCUMENTS}/{path}")))


@pytest.mark.parametrize("name", ["nonsense", f"{DOCUMENTS}/lonely"])
def test_a_malformed_name_is_refused(firestore: Firestore, name: str) -> None:
    """A write needs the name of a document, not of a collection or of nothing."""
    with pytest.raises(InvalidArgument):
        firestore.commit(types.Write(update=types.Document(name=name)))


def test_a_batch_write_answers_for_each_write(firestore: Firestore) -> None:
    """Outside of a commit each write succeeds or fails for itself."""
    collection = firestore.collection()
    collection.document("there").set({})

    def write(document_id: str, **condition: bool) -> types.Write:
        name = collection.document(document_id)._document_path  # noqa: SLF001 (has no other name)
        return types.Write(
            update=types.Document(name=name), current_document=types.Precondition(**condition)
        )

    answer = firestore.batch_write(
        write("new", exists=False), write("there", exists=False), write("missing", exists=True)
    )

    assert [each.code for each in answer.status] == [OK, ALREADY_EXISTS, NOT_FOUND]
    assert [each.id for each in collection.stream()] == ["new", "there"]


def test_a_batch_write_names_a_document_once(firestore: Firestore) -> None:
    """Two writes to one document have no order outside of a commit, and are refused."""
    name = firestore.collection().document("one")._document_path  # noqa: SLF001 (has no other name)
    write = types.Write(update=types.Document(name=name))

    with pytest.raises(InvalidArgument):
        firestore.batch_write(write, write)
