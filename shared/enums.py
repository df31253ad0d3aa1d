"""The names of proto enums' values, without the prefix that their type gives them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper as EnumTypeWrapper

Number = TypeVar("Number", bound=int)


def enum_names(enum: "EnumTypeWrapper[Number]", prefix: str) -> Mapping[int, str]:
    """Answer the names of an enum's values by their numbers."""
    return {number: name.removeprefix(prefix) for name, number in enum.items()}


def enum_numbers(enum: "EnumTypeWrapper[Number]", prefix: str) -> Mapping[str, Number]:
    """Answer the numbers of an enum's values by their names."""
    return {name.removeprefix(prefix): number for name, number in enum.items()}
