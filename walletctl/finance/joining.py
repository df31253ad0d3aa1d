"""Two sequences in the order of their keys, side by side. Pure."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

Left = TypeVar("Left")
Right = TypeVar("Right")
Value = TypeVar("Value")


def joined(
    left: Iterable[tuple[str, Left]], right: Iterable[tuple[str, Right]]
) -> Iterator[tuple[str, Left | None, Right | None]]:
    """Give each key once, in order, with what either side has for it; None where it has nothing.

    Holds one item of each side. Raises `ValueError` where a side's keys do not grow.
    """
    lefts, rights = _growing(left), _growing(right)
    mine, theirs = next(lefts, None), next(rights, None)
    while mine or theirs:
        if theirs is None or (mine and mine[0] < theirs[0]):
            assert mine  # noqa: S101 (one of them is there)
            yield *mine, None
            mine = next(lefts, None)
        elif mine is None or theirs[0] < mine[0]:
            yield theirs[0], None, theirs[1]
            theirs = next(rights, None)
        else:
            yield *mine, theirs[1]
            mine, theirs = next(lefts, None), next(rights, None)


def _growing(items: Iterable[tuple[str, Value]]) -> Iterator[tuple[str, Value]]:
    last = ""
    for key, value in items:
        if key <= last:
            raise ValueError(f"{key} comes after {last}")
        yield key, value
        last = key
