"""New values made from old ones: increments, extremes, arrays, the time of the commit."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp

from devstack.emulators.firestore.values import is_nan, key_of, number_of
from devstack.emulators.firestore.wire import ArrayValue, Value, Wire

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_NULL = 0

# The value before (or None), the operand and the commit's time → the value after.
_Transform: TypeAlias = Callable[[Wire | None, Wire, Wire], Wire]


def transformed(transform: Wire, before: Wire | None, commit_time: Wire) -> tuple[Wire, Wire]:
    """Answer the value after a field transform, and the result that its caller is told."""
    kind = transform.WhichOneof("transform_type")
    after = _TRANSFORMS[kind](before, getattr(transform, kind), commit_time)
    told = Value(null_value=_NULL) if kind in _ARRAY_TRANSFORMS else after
    return after, told


def _incremented(before: Wire | None, operand: Wire, _: Wire) -> Wire:
    old, added = number_of(before), number_of(operand)
    if old is None or added is None:
        return operand
    total = old + added
    if isinstance(total, float):
        return Value(double_value=total)
    return Value(integer_value=max(_INT64_MIN, min(_INT64_MAX, total)))


def _greatest(before: Wire | None, operand: Wire, _: Wire) -> Wire:
    if before is None or number_of(before) is None or is_nan(operand):
        return operand
    return operand if not is_nan(before) and key_of(operand) > key_of(before) else before


def _least(before: Wire | None, operand: Wire, _: Wire) -> Wire:
    # NaN comes before all numbers, so that it is the least as well.
    if before is None or number_of(before) is None:
        return operand
    return operand if key_of(operand) < key_of(before) else before


def _united(before: Wire | None, operand: Wire, _: Wire) -> Wire:
    elements = _elements(before)
    known = {key_of(each) for each in elements}
    for each in operand.values:
        if key_of(each) not in known:
            known.add(key_of(each))
            elements.append(each)
    return Value(array_value=ArrayValue(values=elements))


def _reduced(before: Wire | None, operand: Wire, _: Wire) -> Wire:
    unwanted = {key_of(each) for each in operand.values}
    kept = [each for each in _elements(before) if key_of(each) not in unwanted]
    return Value(array_value=ArrayValue(values=kept))


def _elements(value: Wire | None) -> list[Wire]:
    return list(value.array_value.values) if value is not None else []


def _request_time(_before: Wire | None, _operand: Wire, commit_time: Wire) -> Wire:
    milliseconds = Timestamp()
    milliseconds.FromMilliseconds(commit_time.ToMilliseconds())
    return Value(timestamp_value=milliseconds)


_ARRAY_TRANSFORMS = {"append_missing_elements", "remove_all_from_array"}
_TRANSFORMS: Mapping[str, _Transform] = {
    "set_to_server_value": _request_time,
    "increment": _incremented,
    "maximum": _greatest,
    "minimum": _least,
    "append_missing_elements": _united,
    "remove_all_from_array": _reduced,
}
