"""`walletctl pnl`"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import click
import typer
from privy.wallet.v1 import ledger_pb2, wallet_pb2

from walletctl.failures import EXIT_REFUSED
from walletctl.finance import profit
from walletctl.finance.profit import Dimension
from walletctl.output import Row, plain
from walletctl.session import TIMEOUT_S, Session, say, session_of, timestamp

app = typer.Typer(help="What was earned, and what it cost.")

_INSTANT = timedelta(microseconds=1)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("is no day like 2026-01-31") from None


@app.callback()
def pnl() -> None:
    """Keep `show` a verb of its own, though it is the only one."""


@app.command()
def show(
    context: typer.Context,
    by: Annotated[Dimension, typer.Option(help="Whose profit and loss.")] = Dimension.PRODUCT,
    start: Annotated[
        date | None,
        typer.Option("--from", parser=_day, metavar="DAY", help="What counts then (UTC) or later."),
    ] = None,
    end: Annotated[
        date | None,
        typer.Option("--to", parser=_day, metavar="DAY", help="What counts before that day."),
    ] = None,
) -> None:
    """Sum what the sink counted, and check it against the ledger; exit 1 if they differ."""
    from walletctl.finance.clients import open_aggregates  # noqa: PLC0415

    session = session_of(context)
    with open_aggregates(session.finance) as aggregates:
        rows = profit.rows_by(by, aggregates.between(start, end))
    columns = {
        by.value: by.value,
        "asset": "asset_code",
        "revenue": "revenue_minor",
        "breakage": "breakage_minor",
        "cost": "cost_minor",
        "profit": "profit_minor",
        "resellers' margin": "margin_minor",
        "tax": "tax_minor",
    }
    session.output.rows(rows, columns)
    _check(session, rows, start, end)


def _check(session: Session, rows: list[Row], start: date | None, end: date | None) -> None:
    today = datetime.now(UTC).date()
    if max(start or today, end or today) > today:
        say("not checked: the ledger is not asked about days to come; leave --to out for all days")
        return
    before = _trial_balance(session, start) if start else []
    booked = profit.booked_between(before, _trial_balance(session, end))
    if off := profit.differences(profit.account_sums(rows), booked):
        say("\n".join([*off, "are events under way, or among the dead letters?"]))
        raise typer.Exit(EXIT_REFUSED)
    say("the aggregates agree with the ledger")


def _trial_balance(session: Session, day: date | None) -> list[Row]:
    """Sum the books by what counts before a day; all there is, if none is given."""
    before = datetime.combine(day, time(), UTC) - _INSTANT if day else None
    request = ledger_pb2.GetTrialBalanceRequest(
        as_of_time=timestamp(before), time_basis=wallet_pb2.TIME_BASIS_EFFECTIVE
    )
    answer = session.ledger.GetTrialBalance(request, timeout=TIMEOUT_S)
    return [plain(each) for each in answer.lines]
