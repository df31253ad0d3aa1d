"""What a run of the benchmarks came to: figures, claims, and whether they hold."""

import json
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

_WHOLE_FROM = 100

Cells = list[list[str]]
Progress = Callable[[str], None]
"""Tells who waits how far a run is."""


class Sheet:
    """Figures by row and column, one for every round. Columns carry their unit."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.rows: dict[str, dict[str, list[float]]] = {}

    def add(self, row: str, figures: Mapping[str, float]) -> None:
        """Add a round's figures."""
        for column, value in figures.items():
            self.rows.setdefault(row, {}).setdefault(column, []).append(value)

    def median(self, row: str, column: str) -> float:
        return statistics.median(self.rows[row][column])

    @property
    def columns(self) -> list[str]:
        return list(dict.fromkeys(column for row in self.rows.values() for column in row))

    def cells(self) -> Cells:
        """Give the medians as texts, below a head."""
        return [["", *self.columns], *(self._cells_of(row) for row in self.rows)]

    def _cells_of(self, row: str) -> list[str]:
        has = self.rows[row]
        return [
            row,
            *(_text(self.median(row, each)) if each in has else "" for each in self.columns),
        ]


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure of which something is asked."""

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        low = self.at_least is None or self.value >= self.at_least
        return low and (self.at_most is None or self.value <= self.at_most)

    @property
    def asked(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else ""

    def cells(self) -> list[str]:
        said = ("yes" if self.holds else "NO") if self.asked else ""
        return [self.name, f"{self.value:,.2f}", self.asked, said]


def ratio(
    name: str,
    of: Sequence[float],
    to: Sequence[float],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Claim:
    """Compare round by round, and take the median: rounds that others disturbed fall out."""
    each = [mine / other for mine, other in zip(of, to, strict=True)]
    return Claim(name, statistics.median(each), at_least, at_most)


@dataclass(frozen=True, slots=True)
class Check:
    """What a tool said of the books after a run."""

    name: str
    clean: bool
    said: str


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of the benchmarks came to."""

    sheets: Sequence[Sheet]
    claims: Sequence[Claim] = ()
    checks: Sequence[Check] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A run, with the conditions under which it was made."""

    conditions: Mapping[str, str]
    parts: Sequence[Part] = field(default=())

    def save_rounds(self, folder: Path, name: str) -> None:
        """Write every round of it as JSON."""
        figures = json.dumps(self._everything(), indent=2)
        folder.joinpath(f"{name}.json").write_text(f"{figures}\n")

    def save_page(self, folder: Path, name: str, pictures: Sequence[Path]) -> Path:
        """Write it as Markdown, with pictures; answer where."""
        page = folder / f"{name}.md"
        shown = [f"![{each.stem}]({each.name})\n" for each in pictures]
        page.write_text("\n".join([*self._markdown(), *shown]))
        return page

    def show(self, console: Console) -> None:
        console.print(f"[bold]Conditions[/bold]: {', '.join(self.conditions.values())}")
        for title, cells in self._tables():
            head, *rows = cells
            table = Table(*head, title=title)
            for row in rows:
                table.add_row(*row)
            console.print(table)

    def _tables(self) -> Iterator[tuple[str, Cells]]:
        for part in self.parts:
            for sheet in part.sheets:
                yield sheet.title, sheet.cells()
        claims = [each.cells() for part in self.parts for each in part.claims]
        yield "What is asked", [["", "measured", "asked", "holds"], *claims]
        checks = [each for part in self.parts for each in part.checks]
        said = [[each.name, "yes" if each.clean else "NO", each.said] for each in checks]
        yield "The books after it", [["", "clean", "said"], *said]

    def _markdown(self) -> Iterator[str]:
        yield "# A run of the benchmarks\n"
        yield from (f"- {name}: {value}" for name, value in self.conditions.items())
        for title, (head, *rows) in self._tables():
            yield f"\n## {title}\n"
            yield _line(head)
            yield _line(["---", *("---:" for _ in head[1:])])
            yield from map(_line, rows)
        yield ""

    def _everything(self) -> object:
        return {
            "conditions": self.conditions,
            "figures": {each.title: each.rows for part in self.parts for each in part.sheets},
            "claims": [asdict(each) for part in self.parts for each in part.claims],
            "checks": [asdict(each) for part in self.parts for each in part.checks],
        }


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE_FROM or value == int(value) else f"{value:,.1f}"
