"""The `where` of a query, as a function that tells whether a document is wanted."""

from collections.abc import Callable, Iterator
from operator import ge, gt, le, lt
from typing import TypeAlias

import grpc

from devstack.emulators.firestore.fields import Path, path_of, value_at
from devstack.emulators.firestore.values import is_nan, is_null, key_of
from devstack.emulators.firestore.wire import StructuredQuery, Value, Wire
from devstack.emulators.serving import Refusal

Filter: TypeAlias = Callable[[Wire], bool]
_Test: TypeAlias = Callable[[Wire], bool]

_Composite = StructuredQuery.CompositeFilter
_Field = StructuredQuery.FieldFilter
_Unary = StructuredQuery.UnaryFilter
_RANGES = {
    _Field.LESS_THAN: lt,
    _Field.LESS_THAN_OR_EQUAL: le,
    _Field.GREATER_THAN: gt,
    _Field.GREATER_THAN_OR_EQUAL: ge,
}
_NULL_KEY = key_of(Value(null_value=0))


def filter_of(where: Wire) -> Filter:
    """Read a filter; one that is not set wants every document."""
    kind = where.WhichOneof("filter_type")
    if kind is None:
        return lambda _: True
    if kind == "composite_filter":
        return _composite(where.composite_filter)
    test = _unary(where.unary_filter) if kind == "unary_filter" else _field(where.field_filter)
    path = path_of(getattr(where, kind).field.field_path)
    return lambda document: (value := value_at(document, path)) is not None and test(value)


def inequality_paths(where: Wire) -> Iterator[Path]:
    """List the fields that a query must be ordered by because their filter is an inequality."""
    for each in where.composite_filter.filters:
        yield from inequality_paths(each)
    field, unary = where.field_filter, where.unary_filter
    if field.op in {*_RANGES, _Field.NOT_EQUAL, _Field.NOT_IN}:
        yield path_of(field.field.field_path)
    if unary.op in {_Unary.IS_NOT_NULL, _Unary.IS_NOT_NAN}:
        yield path_of(unary.field.field_path)


def _composite(composite: Wire) -> Filter:
    filters = [filter_of(each) for each in composite.filters]
    if composite.op == _Composite.AND:
        return lambda document: all(wants(document) for wants in filters)
    if composite.op == _Composite.OR:
        return lambda document: any(wants(document) for wants in filters)
    raise _unknown("composite", composite.op)


def _unary(unary: Wire) -> _Test:
    if unary.op == _Unary.IS_NULL:
        return is_null
    if unary.op == _Unary.IS_NAN:
        return is_nan
    if unary.op == _Unary.IS_NOT_NULL:
        return lambda value: not is_null(value)
    if unary.op == _Unary.IS_NOT_NAN:
        return lambda value: not is_null(value) and not is_nan(value)
    raise _unknown("unary", unary.op)


def _field(field: Wire) -> _Test:
    if field.op in _RANGES:
        return _range(field)
    wanted = key_of(field.value)
    if field.op == _Field.EQUAL:
        return lambda value: key_of(value) == wanted
    if field.op == _Field.NOT_EQUAL:
        return lambda value: not is_null(value) and key_of(value) != wanted
    if field.op == _Field.ARRAY_CONTAINS:
        return lambda value: wanted in _element_keys(value)
    return _membership(field)


def _range(field: Wire) -> _Test:
    compare, wanted = _RANGES[field.op], key_of(field.value)

    def test(value: Wire) -> bool:
        key = key_of(value)
        # Only within one type, and NaN is in no range.
        return key[0] == wanted[0] and not is_nan(value) and compare(key, wanted)

    return test


def _membership(field: Wire) -> _Test:
    wanted = _element_keys(field.value)
    if field.op == _Field.IN:
        return lambda value: not is_null(value) and key_of(value) in wanted
    if field.op == _Field.NOT_IN and _NULL_KEY in wanted:
        return lambda _: False
    if field.op == _Field.NOT_IN:
        return lambda value: not is_null(value) and key_of(value) not in wanted
    if field.op == _Field.ARRAY_CONTAINS_ANY:
        return lambda value: not wanted.isdisjoint(_element_keys(value))
    raise _unknown("field", field.op)


def _element_keys(value: Wire) -> set[tuple[int, object]]:
    return {key_of(each) for each in value.array_value.values}


def _unknown(kind: str, operator: int) -> Refusal:
    message = f"this stand-in knows no {kind} filter of operator {operator}"
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
