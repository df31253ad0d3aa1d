"""How Firestore's values compare: first by type, then within it."""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from devstack.emulators.firestore.wire import Wire

# Two values are equal, or one comes before the other, as their keys do.
Key: TypeAlias = tuple[int, Any]


def key_of(value: Wire) -> Key:
    """Answer what to compare a value by; integers and doubles compare as numbers."""
    return _KEYS[value.WhichOneof("value_type")](value)


def is_null(value: Wire) -> bool:
    return bool(value.WhichOneof("value_type") == "null_value")


def is_nan(value: Wire) -> bool:
    return value.WhichOneof("value_type") == "double_value" and math.isnan(value.double_value)


def number_of(value: Wire | None) -> int | float | None:
    """Answer the number that a value is, or None if it is not one."""
    kind = value.WhichOneof("value_type") if value else None
    return getattr(value, kind) if kind in {"integer_value", "double_value"} else None


def name_key(name: str) -> str:
    """Answer what to compare document names by: segment by segment, not letter by letter."""
    return name.replace("/", "\0")


def _number_key(number: float) -> tuple[int, float]:
    return (0, 0.0) if math.isnan(number) else (1, number)  # NaN comes before all numbers.


def _map_key(value: Wire) -> tuple[tuple[str, Key], ...]:
    fields = value.map_value.fields
    return tuple((name, key_of(fields[name])) for name in sorted(fields))


_KEYS: Mapping[str, Callable[[Wire], Key]] = {
    "null_value": lambda _: (0, 0),
    "boolean_value": lambda value: (1, value.boolean_value),
    "integer_value": lambda value: (2, (1, value.integer_value)),
    "double_value": lambda value: (2, _number_key(value.double_value)),
    "timestamp_value": lambda value: (3, value.timestamp_value.ToNanoseconds()),
    "string_value": lambda value: (4, value.string_value),
    "bytes_value": lambda value: (5, value.bytes_value),
    "reference_value": lambda value: (6, name_key(value.reference_value)),
    "geo_point_value": lambda value: (
        7,
        (value.geo_point_value.latitude, value.geo_point_value.longitude),
    ),
    "array_value": lambda value: (8, tuple(key_of(each) for each in value.array_value.values)),
    "map_value": lambda value: (9, _map_key(value)),
}
