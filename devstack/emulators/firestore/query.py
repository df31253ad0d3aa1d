"""Which documents a query finds, and in which order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import grpc

from devstack.emulators.firestore.fields import DOCUMENT_NAME, Path, path_of, projected, value_at
from devstack.emulators.firestore.filters import filter_of, inequality_paths
from devstack.emulators.firestore.store import Store
from devstack.emulators.firestore.values import key_of
from devstack.emulators.firestore.wire import StructuredQuery, Wire
from devstack.emulators.serving import Refusal


@dataclass(frozen=True, slots=True)
class Order:
    """One field to order by; a document that lacks it is not found."""

    path: Path
    descending: bool


def find(store: Store, parent: str, query: Wire) -> list[Wire]:
    """Find the documents that a structured query below `parent` asks for."""
    wants, orders = filter_of(query.where), _orders_of(query)
    found = [
        document
        for document in _candidates(store, parent, query)
        if wants(document) and _has_all(document, orders)
    ]
    for order in reversed(orders):
        found = _sorted(found, order)
    found = _between(found, orders, query)[query.offset :]
    if query.HasField("limit"):
        found = found[: query.limit.value]
    paths = [path_of(each.field_path) for each in query.select.fields]
    return [projected(document, paths) for document in found] if paths else found


def _candidates(store: Store, parent: str, query: Wire) -> Iterable[Wire]:
    selectors = query.from_
    if len(selectors) != 1 or query.HasField("find_nearest"):
        message = "this stand-in answers queries of one collection id, without vectors"
        raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
    collection_id, below = selectors[0].collection_id, selectors[0].all_descendants
    if not below:
        yield from store.collection(f"{parent}/{collection_id}")
        return
    for path in store.collections(parent):
        if collection_id in {"", path.rpartition("/")[2]}:
            yield from store.collection(path)


def _orders_of(query: Wire) -> list[Order]:
    """Complete what was asked for: fields of inequalities, and the name to make it total."""
    orders = [
        Order(path_of(each.field.field_path), each.direction == StructuredQuery.DESCENDING)
        for each in query.order_by
    ]
    descending = orders[-1].descending if orders else False
    for path in (*sorted(set(inequality_paths(query.where))), (DOCUMENT_NAME,)):
        if path not in {order.path for order in orders}:
            orders.append(Order(path, descending))
    return orders


def _has_all(document: Wire, orders: Iterable[Order]) -> bool:
    return all(value_at(document, order.path) is not None for order in orders)


def _sorted(documents: Iterable[Wire], order: Order) -> list[Wire]:
    return sorted(
        documents,
        key=lambda document: key_of(value_at(document, order.path)),
        reverse=order.descending,
    )


def _between(documents: Iterable[Wire], orders: Sequence[Order], query: Wire) -> list[Wire]:
    """Keep what lies between the cursors of a query, which may name only the first orders."""
    if query.HasField("start_at"):
        start = query.start_at
        first = 0 if start.before else 1
        documents = [each for each in documents if _side(each, orders, start) >= first]
    if query.HasField("end_at"):
        end = query.end_at
        last = -1 if end.before else 0
        documents = [each for each in documents if _side(each, orders, end) <= last]
    return list(documents)


def _side(document: Wire, orders: Sequence[Order], cursor: Wire) -> int:
    """Answer -1, 0 or 1: the document comes before the cursor, is at it, or comes after it."""
    for order, value in zip(orders, cursor.values, strict=False):
        key, mark = key_of(value_at(document, order.path)), key_of(value)
        if key != mark:
            return 1 if (key > mark) != order.descending else -1
    return 0
