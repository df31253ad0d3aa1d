"""Prints: in colour on a terminal, elsewhere as plain text."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table as DrawnTable
from rich.text import Text

from devstack.demo.checks.check import Check
from devstack.demo.scenes.scene import Scene
from devstack.demo.tables.table import Table

PLAIN_WIDTH = 100


class Page:
    """Scenes and the outcome on standard output, progress and faults on standard error."""

    def __init__(self) -> None:
        is_terminal = sys.stdout.isatty()
        self._out = Console(width=None if is_terminal else PLAIN_WIDTH, highlight=False)
        self._err = Console(stderr=True, highlight=False)
        self._box = box.SIMPLE_HEAD if is_terminal else box.ASCII
        self._scenes = 0

    def show(self, scene: Scene) -> None:
        self._scenes += 1
        self._out.print(Text(f"{self._scenes}. {scene.title}", style="bold cyan"))
        self._out.print(Text(scene.lesson, style="italic"))
        for table in scene.tables:
            self._out.print()
            self._out.print(self._drawn(table))
        self._out.print()

    def busy(self, description: str) -> AbstractContextManager[object]:
        """Show on a terminal that something goes on; elsewhere say nothing."""
        return self._err.status(description) if self._err.is_terminal else nullcontext()

    @contextmanager
    def progress(self, description: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show on a terminal how far something is; the block tells how much is done."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn())
        hidden = not self._err.is_terminal
        with Progress(
            *columns, MofNCompleteColumn(), console=self._err, transient=True, disable=hidden
        ) as progress:
            task = progress.add_task(description, total=total)
            yield lambda done: progress.update(task, completed=done)

    def conclude(self, checks: Sequence[Check], duration_s: float) -> None:
        """Name every check that fails, or say in one line what all of them were about."""
        off = [each for each in checks if not each.holds]
        for each in off:
            fault = f"off: {each.claim}: expected {each.expected!r}, saw {each.seen!r}"
            self._err.print(Text(fault, style="red"), soft_wrap=True)
        if off:
            self._err.print(f"{len(off)} of {len(checks)} checks failed")
            return
        self._out.print(
            f"All {len(checks)} checks hold after {duration_s:.1f} s: balances, refusals, repeats, "
            "documents, trial balance, profit and loss, hash chains.",
            style="bold green",
            soft_wrap=True,
        )

    def _drawn(self, table: Table) -> DrawnTable:
        drawn = DrawnTable(box=self._box, show_edge=False)
        for name in table.texts:
            drawn.add_column(name, overflow="fold")
        for name in table.figures:
            drawn.add_column(name, justify="right", no_wrap=True)
        for row in table.rows:
            drawn.add_row(*map(Text, row))
        return drawn
