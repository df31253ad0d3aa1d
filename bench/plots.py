"""The report's pictures."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench import books, front
from bench.measuring import RATE
from bench.report import Report, Sheet

_SIZE_INCHES = (9, 5)
_DPI = 120
_MICROSECONDS = " µs"

Paint = Callable[[Sheet, Axes], None]


def draw(report: Report, folder: Path, name: str) -> Sequence[Path]:
    """Draw what the report has the figures for; answer where the pictures are."""
    sheets = {sheet.title: sheet for part in report.parts for sheet in part.sheets}
    pictures = {
        front.ALONE: {"latency": _latency, "cpu": _cpu},
        books.GROWTH: {"growth": _growth},
    }
    return [
        _drawn(sheets[title], paint, folder / f"{name}-{kind}.png")
        for title, kinds in pictures.items()
        if title in sheets
        for kind, paint in kinds.items()
    ]


def _drawn(sheet: Sheet, paint: Paint, path: Path) -> Path:
    figure = Figure(figsize=_SIZE_INCHES, dpi=_DPI, layout="constrained")
    paint(sheet, figure.add_subplot())
    figure.savefig(path)
    return path


def _latency(sheet: Sheet, axes: Axes) -> None:
    """Throughput against latency: a line for each engine, a point for each number in flight."""
    for engine in front.ASKED:
        points = list(_points(sheet, engine))
        if points:
            axes.plot(
                [rate for rate, _, _ in points],
                [latency for _, latency, _ in points],
                marker="o",
                label=engine,
            )
            for rate, latency, label in points:
                axes.annotate(label, (rate, latency), textcoords="offset points", xytext=(5, 5))
    axes.set(
        title="RecordUsage on any wallet, by calls in flight",
        xlabel="actions/s",
        ylabel="95th percentile, ms",
    )
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.legend()


def _points(sheet: Sheet, engine: str) -> Iterator[tuple[float, float, str]]:
    for row in sheet.rows:
        who, _, rest = row.partition(", ")
        kind, _, in_flight = rest.partition(", ")
        if who == engine and kind == "uniform":
            yield sheet.median(row, RATE), sheet.median(row, "p95 ms"), in_flight


def _cpu(sheet: Sheet, axes: Axes) -> None:
    """Processor time for each action, by process."""
    rows = [row for row, has in sheet.rows.items() if any(_is_cpu(each) for each in has)]
    left = [0.0] * len(rows)
    for column in filter(_is_cpu, sheet.columns):
        values = [sheet.median(row, column) if column in sheet.rows[row] else 0 for row in rows]
        axes.barh(rows, values, left=left, label=column.removesuffix(_MICROSECONDS))
        left = [before + value for before, value in zip(left, values, strict=True)]
    axes.invert_yaxis()
    axes.set(title="Processor time for each action", xlabel="µs")
    axes.legend()


def _is_cpu(column: str) -> bool:
    return column.endswith(_MICROSECONDS)


def _growth(sheet: Sheet, axes: Axes) -> None:
    """Processor time for each plan, by how many entries the ledger has."""
    entries = [int(row.replace(",", "")) / 1e6 for row in sheet.rows]
    for column in sheet.columns:
        if column.endswith("µs"):
            label = column.removesuffix("µs").strip() or "both"
            axes.plot(entries, [sheet.median(row, column) for row in sheet.rows], "o-", label=label)
    axes.set(
        title="Processor time for each plan of the ledger alone",
        xlabel="million entries loaded",
        ylabel="µs",
    )
    axes.set_ylim(bottom=0)
    axes.legend()
