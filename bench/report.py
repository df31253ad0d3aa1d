"""What a run of the benchmarks came to: figures, ratios, and whether they are what is asked."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path("bench/results")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing, in every round."""

    name: str
    unit: str
    rounds: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


@dataclass(frozen=True, slots=True)
class Ratio:
    """Two figures of the same rounds beside each other, and what is asked of them."""

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
            return f"≥ {self.at_least}"
        return f"≤ {self.at_most}" if self.at_most is not None else ""


def ratio(
    name: str,
    of: Figure,
    to: Figure,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Ratio:
    """Compare round by round, and take the median: rounds that others disturbed fall out."""
    each = [mine / other for mine, other in zip(of.rounds, to.rounds, strict=True)]
    return Ratio(name, statistics.median(each), at_least, at_most)


@dataclass(frozen=True, slots=True)
class Report:
    """A run, with the conditions under which it was made."""

    conditions: Mapping[str, str]
    figures: Sequence[Figure]
    ratios: Sequence[Ratio]

    def save(self, name: str) -> Path:
        """Write it as JSON; answer where."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        path = RESULTS / f"{name}.json"
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")
        return path

    def show(self, console: Console) -> None:
        console.print(f"[bold]Conditions[/bold]: {', '.join(self.conditions.values())}")
        figures = Table("figure", "unit", "median", "rounds", title="Figures")
        for each in self.figures:
            rounds = ", ".join(f"{value:,.0f}" for value in each.rounds)
            figures.add_row(each.name, each.unit, f"{each.median:,.0f}", rounds)
        console.print(figures)
        ratios = Table("ratio", "median", "asked", "holds", title="Ratios")
        for compared in self.ratios:
            said = ("yes" if compared.holds else "NO") if compared.asked else ""
            ratios.add_row(compared.name, f"{compared.value:.2f}", compared.asked, said)
        console.print(ratios)
