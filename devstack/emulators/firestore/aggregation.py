"""Counts, sums and averages over the documents that a query found."""

import itertools
from collections.abc import Sequence

import grpc

from devstack.emulators.firestore.fields import path_of, value_at
from devstack.emulators.firestore.values import number_of
from devstack.emulators.firestore.wire import AggregationResult, Value, Wire
from devstack.emulators.serving import Refusal

_INT64 = range(-(2**63), 2**63)


def aggregated(aggregations: Sequence[Wire], documents: Sequence[Wire]) -> Wire:
    """Compute each aggregation under its alias, or `field_1`, `field_2`… where it has none.

    A document counts in all of them or in none: it must have every field that is aggregated.
    """
    paths = [path_of(_field_of(each)) for each in aggregations if _field_of(each)]
    documents = [
        each for each in documents if all(value_at(each, path) is not None for path in paths)
    ]
    unnamed = (f"field_{number}" for number in itertools.count(1))
    return AggregationResult(
        aggregate_fields={
            each.alias or next(unnamed): _aggregate(each, documents) for each in aggregations
        }
    )


def _aggregate(aggregation: Wire, documents: Sequence[Wire]) -> Wire:
    kind = aggregation.WhichOneof("operator")
    if kind == "count":
        up_to = aggregation.count.up_to.value or len(documents)
        return Value(integer_value=min(len(documents), up_to))
    if kind not in {"sum", "avg"}:
        raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, f"no aggregation is named {kind}")
    path = path_of(_field_of(aggregation))
    values = (number_of(value_at(document, path)) for document in documents)
    numbers = [value for value in values if value is not None]
    return _sum(numbers) if kind == "sum" else _average(numbers)


def _field_of(aggregation: Wire) -> str:
    """Answer the field that is summed or averaged; a count has none."""
    return str(aggregation.sum.field.field_path or aggregation.avg.field.field_path)


def _sum(numbers: Sequence[int | float]) -> Wire:
    total = sum(numbers)
    if isinstance(total, int) and total in _INT64:
        return Value(integer_value=total)
    return Value(double_value=total)


def _average(numbers: Sequence[int | float]) -> Wire:
    return Value(double_value=sum(numbers) / len(numbers)) if numbers else Value(null_value=0)
