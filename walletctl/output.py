"""Tables on a terminal, JSON for programs. Only data goes to stdout."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Output:
    """Shows results, as JSON if `as_json`: an array for lists, else an object."""

    as_json: bool
    console: Console

    def rows(self, rows: Sequence[Row], columns: Mapping[str, str]) -> None:
        """Show a list; `columns` are headings and the keys of what stands below them."""
        if self.as_json:
            self.json(list(rows))
            return
        table = Table()
        for heading, key in columns.items():
            numeric = any(isinstance(row.get(key), int) for row in rows)
            table.add_column(heading, justify="right" if numeric else "left")
        for row in rows:
            table.add_row(*(_cell(row.get(key)) for key in columns.values()))
        self.console.print(table)
        if not rows:
            self.console.print("nothing")

    def item(self, row: Row) -> None:
        """Show a single thing."""
        if self.as_json:
            self.json(row)
            return
        table = Table(show_header=False)
        for key, value in row.items():
            table.add_row(key, _cell(value))
        self.console.print(table)

    def json(self, value: object) -> None:
        self.console.out(json.dumps(value, indent=2, ensure_ascii=False), highlight=False)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how many there are by now, as the function it gives is told."""
    columns = TextColumn(what), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda count: bar.update(task, completed=count)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return "" if value is None else str(value)


def plain(message: Message) -> dict[str, Any]:
    """Say a message in plain values: amounts stay integers, enums lose their prefix."""
    return {
        field.name: _plain_field(message, field)
        for field in message.DESCRIPTOR.fields
        if not field.has_presence or message.HasField(field.name)
    }


def _plain_field(message: Message, field: Any) -> Any:
    value = getattr(message, field.name)
    if field.message_type and field.message_type.GetOptions().map_entry:
        return dict(value)
    if field.is_repeated:
        return [_plain_value(each, field) for each in value]
    return _plain_value(value, field)


def _plain_value(value: Any, field: Any) -> Any:
    if isinstance(value, Timestamp):
        return value.ToJsonString()
    if isinstance(value, Struct):
        return MessageToDict(value)
    if field.message_type:
        return plain(value)
    if field.enum_type:
        name = field.enum_type.values_by_number[value].name
        zero = field.enum_type.values_by_number[0].name
        return name.removeprefix(zero.removesuffix("UNSPECIFIED"))
    return value.hex() if isinstance(value, bytes) else value
