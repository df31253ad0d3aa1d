"""`python -m devstack`: the stack for one command, or in the foreground."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from devstack.children import Children, base_environment
from devstack.errors import DevstackError
from devstack.folder import kept_folder, temporary_folder
from devstack.foreground import run_foreground
from devstack.interrupts import (
    Interrupt,
    InterruptedByUserError,
    catch_interrupt,
    unless_interrupted,
)
from devstack.stack import NEEDS, Report, Stack, start_stack

DATA_FOLDER = Path(".devstack")
_WATCH_S = 0.5

app = typer.Typer(
    help="Runs the whole product, with every server it needs, on this machine.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class Engine(StrEnum):
    """What serves gRPC in the services."""

    GRPCIO = "grpcio"
    NATIVE = "native"


EngineOption = Annotated[Engine, typer.Option(help="What serves gRPC.")]


@app.command(context_settings={"allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="CMD", show_default=False)],
    engine: EngineOption = Engine.GRPCIO,
) -> None:
    """Run CMD on a fresh temporary stack, with its endpoints in the environment.

    Everything is stopped and removed after; the exit code is CMD's.
    """
    if shutil.which(command[0]) is None:
        _fail(f"{command[0]}: command not found", 127)
    _finish(_run(command, engine))


@app.command()
def up(engine: EngineOption = Engine.GRPCIO) -> None:
    """Keep the stack in the foreground until Ctrl-C, with its data under .devstack/."""
    _finish(_up(engine))


@app.command()
def demo() -> None:
    """Tell a story on a fresh temporary stack, show what happened, and check every figure."""
    _finish(_run([sys.executable, "-m", "devstack.demo"], Engine.GRPCIO))


async def _run(command: list[str], engine: Engine) -> int:
    interrupt = catch_interrupt()
    with Children(temporary_folder(), base_environment(os.environ)) as children:
        stack = await _started(children, interrupt, engine)
        environment = {**os.environ, **stack.environment}
        exit_code = await run_foreground(command, environment, children.watchdog, interrupt)
        if ended := children.first_ended():
            _say(str(ended))
        return exit_code


async def _up(engine: Engine) -> int:
    interrupt = catch_interrupt()
    with Children(kept_folder(DATA_FOLDER), base_environment(os.environ)) as children:
        stack = await _started(children, interrupt, engine)
        _print_endpoints(stack.environment, children.folder.logs)
        while not interrupt.done():
            await asyncio.wait((interrupt,), timeout=_WATCH_S)
            if ended := children.first_ended():
                raise ended
    return 0


async def _started(children: Children, interrupt: Interrupt, engine: Engine) -> Stack:
    with _progress() as report:
        return await unless_interrupted(start_stack(children, report, engine), interrupt)


def _finish(work: Coroutine[Any, Any, int]) -> None:
    try:
        exit_code = asyncio.run(work)
    except InterruptedByUserError as error:
        exit_code = 128 + error.signal_number
    except DevstackError as error:
        _fail(str(error), 1)
    raise typer.Exit(exit_code)


def _fail(message: str, exit_code: int) -> NoReturn:
    _say(message)
    raise typer.Exit(exit_code)


def _say(message: str) -> None:
    typer.echo(f"devstack: {message}", err=True)


@contextmanager
def _progress() -> Iterator[Report]:
    """Show on a terminal which parts are ready, and after how long; elsewhere say nothing."""
    started = time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True, quiet=not sys.stderr.isatty())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting the stack", total=len(NEEDS))

        def report(part: str) -> None:
            console.print(f"{part:<12} ready after {time.monotonic() - started:4.1f} s")
            progress.advance(task)

        yield report


def _print_endpoints(environment: Mapping[str, str], logs: Path) -> None:
    if not sys.stdout.isatty():
        for name, value in environment.items():
            print(f"{name}={value}", flush=True)  # noqa: T201
        return
    table = Table("variable", "value")
    for name, value in environment.items():
        table.add_row(name, value)
    console = Console()
    console.print(table)
    console.print(f"logs: {logs}\nCtrl-C ends the stack and keeps its data.")


if __name__ == "__main__":
    app()
