"""A scene, and the kind that most of them are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from devstack.demo.desk import Booked
from devstack.demo.tables import actions
from devstack.demo.tables.table import Table

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Scene:
    title: str
    lesson: str
    tables: tuple[Table, ...]


def movement(title: str, lesson: str, booked: Iterable[Booked], names: Names) -> Scene:
    """Show where money went, and what each wallet had after it."""
    booked = tuple(booked)
    shown = (actions.legs(booked, names), actions.balances_after(booked, names))
    return Scene(title, lesson, shown)
