"""`walletctl deadletters`"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from walletctl.failures import EXIT_REFUSED
from walletctl.finance.letters import Letter, Wanted, row_of, whole_of
from walletctl.session import (
    DryRun,
    Limit,
    Operator,
    Rate,
    Session,
    Why,
    Yes,
    confirm,
    moment,
    say,
    session_of,
)

if TYPE_CHECKING:
    from walletctl.finance.clients import Desk

app = typer.Typer(no_args_is_help=True, help="Events that the ERP sink could not take.")

COLUMNS = {
    "letter": "letter_id",
    "event": "event_id",
    "reason": "reason",
    "detail": "detail",
    "wallet": "wallet_id",
    "product": "product_code",
    "first seen": "first_seen_time",
    "attempt": "attempt",
    "replays": "replay_count",
}
MENDED = {
    "letter": "letter_id",
    "event": "event_id",
    "reason": "reason",
    "outcome": "outcome",
    "effect": "effect",
}
ACTS = {
    "when": "act_time",
    "who": "operator",
    "act": "kind",
    "event": "event_id",
    "letter": "letter_id",
    "dead because": "fault",
    "reason": "reason",
    "to event": "last_event_id",
    "events": "events",
}


Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Letters' or events'; all if none.")
]
Reason = Annotated[
    str, typer.Option("--reason", "--fault", help="Dead for this reason: LINES_UNBALANCED.")
]
Fault = Annotated[str, typer.Option("--fault", help="Dead for this reason: LINES_UNBALANCED.")]
OfWallet = Annotated[str, typer.Option("--wallet", help="Only of this wallet.")]
OfProduct = Annotated[str, typer.Option("--product", help="Only of this product.")]
From = Annotated[
    datetime | None,
    typer.Option("--from", parser=moment, metavar="TIME", help="First seen then or later."),
]
To = Annotated[
    datetime | None,
    typer.Option("--to", parser=moment, metavar="TIME", help="First seen before then."),
]
All = Annotated[bool, typer.Option("--all", help="Every letter, whichever it is.")]


@app.command("list")
def list_(
    context: typer.Context,
    reason: Reason = "",
    wallet: OfWallet = "",
    product: OfProduct = "",
    start: From = None,
    end: To = None,
    limit: Limit = 1000,
) -> None:
    """List dead letters, the oldest first; they stay where they are."""
    session = session_of(context)
    wanted = Wanted((), reason, wallet, product, start, end)
    with _found(session, wanted, limit) as (_, letters):
        session.output.rows([row_of(each) for each in letters], COLUMNS)


@app.command()
def show(
    context: typer.Context,
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="A letter's or an event's.")],
) -> None:
    """Show a dead letter, its event decoded."""
    session = session_of(context)
    with _found(session, Wanted(ids=[letter_id]), limit=1) as (_, letters):
        for each in letters:
            session.output.item(whole_of(each))


@app.command()
def export(
    context: typer.Context,
    ids: Ids = None,
    reason: Reason = "",
    wallet: OfWallet = "",
    product: OfProduct = "",
    start: From = None,
    end: To = None,
    limit: Limit = 100_000,
    file: Annotated[Path | None, typer.Option(help="Not to the standard output: there.")] = None,
) -> None:
    """Write dead letters as JSON lines, with their bytes and decoded; they stay where they are."""
    wanted = Wanted(ids or (), reason, wallet, product, start, end)
    with _found(session_of(context), wanted, limit) as (_, letters):
        lines = "".join(f"{json.dumps(whole_of(each), ensure_ascii=False)}\n" for each in letters)
    if file:
        file.write_text(lines)
    else:
        typer.echo(lines, nl=False)
    say(f"{len(letters)} exported")


@app.command()
def replay(
    context: typer.Context,
    why: Why,
    operator: Operator,
    ids: Ids = None,
    everything: All = False,
    fault: Fault = "",
    wallet: OfWallet = "",
    product: OfProduct = "",
    start: From = None,
    end: To = None,
    limit: Limit = 1000,
    rate: Rate = 50.0,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Publish dead letters to the events' topic again; what is written has no second effect."""
    from walletctl.finance import mending  # noqa: PLC0415

    wanted = _some(Wanted(ids or (), fault, wallet, product, start, end), everything=everything)
    session = session_of(context)
    if not (dry_run or yes):
        _ask(session, wanted, limit, "Replay")
    with _found(session, wanted, limit) as (desk, letters):
        if dry_run:
            act = partial(_would_be, "replayed", partial(mending.effect_of, desk))
        else:
            act = partial(mending.replay, desk, operator, why)
        _mend(session, mending.paced(desk, letters, rate), len(letters), act)


@app.command()
def discard(
    context: typer.Context,
    why: Why,
    operator: Operator,
    ids: Ids = None,
    everything: All = False,
    fault: Fault = "",
    wallet: OfWallet = "",
    product: OfProduct = "",
    start: From = None,
    end: To = None,
    limit: Limit = 1000,
    rate: Rate = 50.0,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Take dead letters away for good; the audit trail keeps which, and why."""
    from walletctl.finance import mending  # noqa: PLC0415

    wanted = _some(Wanted(ids or (), fault, wallet, product, start, end), everything=everything)
    session = session_of(context)
    if not (dry_run or yes):
        _ask(session, wanted, limit, "Discard")
    with _found(session, wanted, limit) as (desk, letters):
        if dry_run:
            act = partial(_would_be, "discarded", lambda _: "none")
        else:
            act = partial(mending.discard, desk, operator, why)
        _mend(session, mending.paced(desk, letters, rate), len(letters), act)


@app.command()
def acts(context: typer.Context, limit: Limit = 100) -> None:
    """List what operators did to dead letters and events, the newest act first."""
    from walletctl.finance.clients import open_acts  # noqa: PLC0415

    session = session_of(context)
    with open_acts(session.finance) as trail:
        session.output.rows(trail.latest(limit), ACTS)


def _some(wanted: Wanted, *, everything: bool) -> Wanted:
    """Refuse to mean every letter unless it was said."""
    if wanted.is_anything != everything:
        raise click.UsageError("which letters? give ids, or filters, or else --all")
    return wanted


def _ask(session: Session, wanted: Wanted, limit: int, verb: str) -> None:
    with _found(session, wanted, limit) as (_, letters):
        count = len(letters)
    confirm(f"{verb} {count} dead letters?", yes=False)


@contextmanager
def _found(
    session: Session, wanted: Wanted, limit: int
) -> Iterator[tuple["Desk", Sequence[Letter]]]:
    """Lease the letters that are wanted; exit 1 if one that is asked for by id is not there."""
    from walletctl.finance.clients import open_desk  # noqa: PLC0415
    from walletctl.finance.mending import find  # noqa: PLC0415

    with open_desk(session.finance) as desk:
        with Console(stderr=True).status("looking through the dead letters"):
            letters = find(desk, wanted.matches, limit)
        yield desk, letters
    if len(letters) == limit and not wanted.ids:
        say(f"stopped at --limit {limit}: there may be more")
    known = {each.letter_id for each in letters} | {each.event_id for each in letters}
    if missing := [each for each in wanted.ids if each not in known]:
        say(f"no dead letter is, or is of, {', '.join(missing)}")
        raise typer.Exit(EXIT_REFUSED)


def _would_be(outcome: str, effect_of: Callable[[Letter], str], letter: Letter) -> dict[str, Any]:
    return {**row_of(letter), "outcome": f"would be {outcome}", "effect": effect_of(letter)}


def _mend(
    session: Session,
    letters: Iterator[Letter],
    count: int,
    act: Callable[[Letter], dict[str, Any]],
) -> None:
    """Do `act` to each letter; show what was done, also when stopped in between."""
    rows: list[dict[str, Any]] = []
    columns = (TextColumn("letters"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            for each in bar.track(letters, total=count):
                rows.append(act(each))  # noqa: PERF401 (those done before a failure are kept)
    finally:
        session.output.rows(rows, MENDED)
        say(f"{len(rows)} of {count} done")
