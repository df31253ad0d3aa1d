"""Queries: filters, orders, cursors, projections, aggregations, and lists of what there is."""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud.firestore import FieldFilter, GeoPoint, Query
from google.cloud.firestore_v1 import And, CollectionReference, Or
from google.cloud.firestore_v1.base_query import BaseCompositeFilter

from tests.conformance.firestore_calls import Firestore

# One document for each, in the order in which Firestore sorts values.
ORDERED_VALUES: tuple[Any, ...] = (
    None,
    False,
    True,
    math.nan,
    -math.inf,
    1,
    1.5,
    2,
    datetime(2020, 1, 1, tzinfo=UTC),
    "Z",
    "a",
    "a!",
    "ą",
    b"\x01",
    GeoPoint(1, 2),
    [],
    [1],
    [1, 2],
    {},
    {"k": 1},
)
PRODUCTS: dict[str, dict[str, Any]] = {
    "esign-1": {"product": "ESIGN", "price": 10, "tags": ["new", "legal"], "by": {"unit": 1}},
    "esign-2": {"product": "ESIGN", "price": 20, "tags": ["legal"], "by": {"unit": 2}},
    "ekyc-1": {"product": "EKYC", "price": 30, "tags": ["new"], "by": {"unit": 1}},
    "ekyc-2": {"product": "EKYC", "price": 20.5, "tags": []},
    "stamp": {"product": "STAMP"},
}


def ids(found: Iterable[Any]) -> list[str]:
    return [each.id for each in found]


def value_ids(values: Iterable[int]) -> list[str]:
    return [f"{index:02}" for index in values]


@pytest.fixture(scope="module")
def values(firestore: Firestore) -> CollectionReference:
    """A document for each of the values, and one that lacks the field."""
    return filled(
        firestore.collection(),
        {
            "lacking": {"other": 1},
            **{f"{index:02}": {"value": value} for index, value in enumerate(ORDERED_VALUES)},
        },
    )


@pytest.fixture(scope="module")
def products(firestore: Firestore) -> CollectionReference:
    return filled(firestore.collection(), PRODUCTS)


def filled(
    collection: CollectionReference, documents: dict[str, dict[str, Any]]
) -> CollectionReference:
    for name, fields in documents.items():
        collection.document(name).set(fields)
    return collection


@pytest.mark.parametrize(
    ("operator", "value", "wanted"),
    [
        ("==", 1, [5]),
        ("==", 2.0, [7]),
        ("==", None, [0]),
        ("==", math.nan, [3]),
        ("==", [1], [16]),
        ("==", {"k": 1}, [19]),
        ("!=", 1, [1, 2, 3, 4, *range(6, 20)]),
        ("!=", None, [*range(1, 20)]),
        ("!=", math.nan, [1, 2, *range(4, 20)]),
        ("<", 2, [4, 5, 6]),
        ("<=", 1.5, [4, 5, 6]),
        (">", False, [2]),
        (">", 1, [6, 7]),
        (">=", "a", [10, 11, 12]),
        ("<", [1, 2], [15, 16]),
        ("in", [1, "a", None], [5, 10]),
        ("not-in", [1, "a"], [1, 2, 3, 4, *range(6, 10), *range(11, 20)]),
        ("not-in", [1, None], []),
        ("array_contains", 1, [16, 17]),
        ("array_contains_any", [2, 9], [17]),
    ],
)
def test_a_filter_compares_within_a_type(
    values: CollectionReference, operator: str, value: Any, wanted: list[int]
) -> None:
    """Each operator finds its documents; those that lack the field are in none."""
    query = values.where(filter=FieldFilter("value", operator, value))

    assert ids(query.stream()) == value_ids(wanted)


def test_values_have_one_order(values: CollectionReference) -> None:
    """Documents are ordered by type, then by value, and found only if they have the field."""
    everything = value_ids(range(len(ORDERED_VALUES)))

    assert ids(values.order_by("value").stream()) == everything
    assert ids(values.order_by("value", direction=Query.DESCENDING).stream()) == everything[::-1]


@pytest.mark.parametrize(
    ("wanted", "condition"),
    [
        (
            ["esign-2"],
            And([FieldFilter("product", "==", "ESIGN"), FieldFilter("price", ">", 10)]),
        ),
        (
            ["ekyc-1", "ekyc-2", "stamp"],
            Or([FieldFilter("product", "==", "EKYC"), FieldFilter("product", "==", "STAMP")]),
        ),
        (
            ["ekyc-1", "esign-1"],
            And(
                [
                    FieldFilter("by.unit", "==", 1),
                    Or([FieldFilter("price", "==", 10), FieldFilter("price", "==", 30)]),
                ]
            ),
        ),
    ],
)
def test_conditions_combine(
    products: CollectionReference, wanted: list[str], condition: BaseCompositeFilter
) -> None:
    """AND and OR nest."""
    assert sorted(ids(products.where(filter=condition).stream())) == wanted


QUERIES: dict[str, tuple[Callable[[CollectionReference], Query], list[str]]] = {
    "by name without anything else": (
        lambda products: products.limit(10),
        ["ekyc-1", "ekyc-2", "esign-1", "esign-2", "stamp"],
    ),
    "by the field of an inequality": (
        lambda products: products.where(filter=FieldFilter("price", ">", 0)),
        ["esign-1", "esign-2", "ekyc-2", "ekyc-1"],
    ),
    "by two fields": (
        lambda products: products.order_by("product").order_by("price", direction="DESCENDING"),
        ["ekyc-1", "ekyc-2", "esign-2", "esign-1"],
    ),
    "from an offset to a limit": (
        lambda products: products.order_by("price").offset(1).limit(2),
        ["esign-2", "ekyc-2"],
    ),
    "the last ones": (
        lambda products: products.order_by("price").limit_to_last(2),
        ["ekyc-2", "ekyc-1"],
    ),
    "starting at a value": (
        lambda products: products.order_by("price").start_at({"price": 20}),
        ["esign-2", "ekyc-2", "ekyc-1"],
    ),
    "starting after a value, ending before another": (
        lambda products: (
            products.order_by("price").start_after({"price": 10}).end_before({"price": 30})
        ),
        ["esign-2", "ekyc-2"],
    ),
    "ending at a value": (
        lambda products: products.order_by("price").end_at({"price": 20}),
        ["esign-1", "esign-2"],
    ),
    "backwards from a value": (
        lambda products: products.order_by("price", direction="DESCENDING").start_after(
            {"price": 20.5}
        ),
        ["esign-2", "esign-1"],
    ),
    "after a document": (
        lambda products: products.order_by("product").start_after(
            products.document("ekyc-1").get()
        ),
        ["ekyc-2", "esign-1", "esign-2", "stamp"],
    ),
    "by a range of names": (
        lambda products: products.order_by("__name__").start_at(
            {"__name__": products.document("es")}
        ),
        ["esign-1", "esign-2", "stamp"],
    ),
}


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_has_order_and_bounds(products: CollectionReference, query: str) -> None:
    """Orders, cursors, offsets and limits choose the documents and their order."""
    make, wanted = QUERIES[query]

    assert ids(make(products).get()) == wanted


def test_a_page_follows_the_one_before(products: CollectionReference) -> None:
    """Reading on after the last document of each page visits every document once."""
    seen: list[str] = []
    page = products.order_by("__name__").limit(2).get()
    while page:
        seen += ids(page)
        page = products.order_by("__name__").start_after(page[-1]).limit(2).get()

    assert seen == sorted(PRODUCTS)


def test_a_projection_answers_the_chosen_fields(products: CollectionReference) -> None:
    """select() leaves other fields out, also inside maps; a mask does for a single document."""
    (found,) = products.where(filter=FieldFilter("price", "==", 10)).select(["by.unit"]).stream()
    masked = products.document("esign-1").get(field_paths=["product", "by.none"])

    assert found.to_dict() == {"by": {"unit": 1}}
    assert masked.to_dict() == {"product": "ESIGN"}


def test_aggregations_count_and_add(products: CollectionReference) -> None:
    """Counts, sums and averages are over what the query finds and has the field."""
    everything: Any = Query(products)
    priced: Any = products.where(filter=FieldFilter("product", "in", ["ESIGN", "STAMP"]))

    assert aggregate(everything.count()) == [5]
    assert aggregate(everything.limit(2).count()) == [2]
    assert aggregate(priced.count(alias="n").sum("price", alias="s").avg("price", alias="a")) == [
        15,
        2,
        30,
    ]
    assert aggregate(everything.sum("price")) == [80.5]
    assert aggregate(everything.sum("missing")) == [0]


def aggregate(query: Any) -> list[Any]:
    (results,) = query.get()
    return [each.value for each in sorted(results, key=lambda each: each.alias)]


def test_several_documents_are_read_at_once(products: CollectionReference) -> None:
    """get_all answers for every document, there or not."""
    names = ("stamp", "missing", "ekyc-1")
    found = products._client.get_all([products.document(name) for name in names])  # noqa: SLF001 (the client of the collection)

    assert {each.id: each.exists for each in found} == {
        "stamp": True,
        "missing": False,
        "ekyc-1": True,
    }


def test_documents_and_collections_are_listed(firestore: Firestore) -> None:
    """Lists show documents that are only on the way to others, and the collections below."""
    collection = firestore.collection()
    collection.document("there").set({})
    collection.document("passed/below/deep").set({})

    listed = {each.id: each.get().exists for each in collection.list_documents(page_size=1)}

    assert listed == {"there": True, "passed": False}
    assert ids(collection.document("passed").collections()) == ["below"]
    assert collection.id in ids(firestore.client.collections())
    assert ids(collection.stream()) == ["there"]


def test_a_group_of_collections_is_queried_together(firestore: Firestore) -> None:
    """A collection group finds documents of one collection id under any parent."""
    collection, group = firestore.collection(), firestore.collection().id
    for parent in ("b", "a"):
        collection.document(f"{parent}/{group}/child").set({"parent": parent})
    collection.document("a/other/child").set({"parent": "a"})

    found = firestore.client.collection_group(group).stream()

    assert [each.get("parent") for each in found] == ["a", "b"]


def test_an_empty_collection_has_nothing(firestore: Firestore) -> None:
    """Queries and aggregations of nothing answer nothing, and no error."""
    collection = firestore.collection()

    assert not list(collection.stream())
    assert aggregate(Query(collection).count()) == [0]
