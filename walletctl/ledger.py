"""`walletctl ledger`"""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from privy.wallet.v1 import ledger_pb2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from walletctl.basis import Basis, By
from walletctl.failures import EXIT_REFUSED
from walletctl.output import Row, plain
from walletctl.session import (
    TIMEOUT_S,
    AsOf,
    DryRun,
    Limit,
    RequestId,
    Yes,
    confirm,
    moment,
    pages,
    request_id,
    say,
    session_of,
    timestamp,
)

app = typer.Typer(no_args_is_help=True, help="The books as a whole.")

VERIFY_TIMEOUT_S = 6 * 3600.0


@app.command()
def verify(
    context: typer.Context,
    known_heads: Annotated[
        Path | None, typer.Option(exists=True, help="Heads of the chains, saved earlier.")
    ] = None,
    save_heads: Annotated[
        Path | None, typer.Option(help="Where to save the heads if nothing is off.")
    ] = None,
) -> None:
    """Recompute the hash chains, and every balance, hold, void and lot; exit 1 if a row is off."""
    session = session_of(context)
    request = ledger_pb2.VerifyLedgerRequest(known_heads=_heads_in(known_heads))
    findings, summary = _follow(session.ledger.VerifyLedger(request, timeout=VERIFY_TIMEOUT_S))
    if session.output.as_json:
        session.output.json({**summary, "findings": findings})
    else:
        if findings:
            session.output.rows(findings, {"table": "table", "row": "row", "what": "detail"})
        session.output.console.print(
            f"{summary['transactions']:,} transactions with {summary['entries']:,} entries: "
            + (f"{len(findings)} rows are off" if findings else "nothing is off")
        )
    if findings:
        raise typer.Exit(EXIT_REFUSED)
    if save_heads:
        save_heads.write_text(json.dumps(summary["heads"], indent=2) + "\n")
        say(f"heads saved to {save_heads}: keep them where the database's owners cannot write")


def _follow(stream: Any) -> tuple[list[Row], Row]:
    """Read a verification to its end, showing how far it is."""
    findings: list[Row] = []
    summary: Row = {}
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("transactions", total=None)
        for answer in stream:
            if answer.HasField("progress"):
                seen, estimate = (
                    answer.progress.transactions,
                    answer.progress.transactions_estimated,
                )
                bar.update(
                    task,
                    description=answer.progress.stage,
                    completed=seen,
                    total=max(seen, estimate),
                )
            elif answer.HasField("finding"):
                findings.append(plain(answer.finding))
            else:
                summary = plain(answer.summary)
    return findings, summary


def _heads_in(path: Path | None) -> list[ledger_pb2.ChainHead]:
    if path is None:
        return []
    try:
        return [
            ledger_pb2.ChainHead(
                chain=head["chain"],
                transaction_id=head["transaction_id"],
                hash=bytes.fromhex(head["hash"]),
            )
            for head in json.loads(path.read_text())
        ]
    except (ValueError, KeyError, TypeError):
        raise typer.BadParameter(f"{path} was not written by --save-heads") from None


@app.command("trial-balance")
def trial_balance(context: typer.Context, as_of: AsOf = None, by: By = Basis.RECORD) -> None:
    """Sum the books by account type and asset; exit 1 if an asset does not sum to zero."""
    session = session_of(context)
    request = ledger_pb2.GetTrialBalanceRequest(as_of_time=timestamp(as_of), time_basis=by.proto)
    lines = [
        plain(each) for each in session.ledger.GetTrialBalance(request, timeout=TIMEOUT_S).lines
    ]
    columns = {"asset": "asset_code", "account": "account_type", "amount": "amount_minor"}
    session.output.rows(lines, columns)
    if off := {asset: total for asset, total in _totals(lines).items() if total}:
        say(f"these assets do not sum to zero: {off}")
        raise typer.Exit(EXIT_REFUSED)
    say("every asset sums to zero")


def _totals(lines: Sequence[Row]) -> dict[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for line in lines:
        totals[line["asset_code"]] += line["amount_minor"]
    return totals


@app.command("close-period")
def close_period(
    context: typer.Context,
    end: Annotated[
        datetime, typer.Option("--end", parser=moment, metavar="TIME", help="Exclusive.")
    ],
    request: RequestId = "",
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Close the books up to a time, for good."""
    session = session_of(context)
    if not dry_run:
        confirm(f"Close the books up to {end.isoformat()} for good?", yes=yes)
    message = ledger_pb2.CloseAccountingPeriodRequest(
        request_id=request_id(request), end_time=timestamp(end), validate_only=dry_run
    )
    answer = session.ledger.CloseAccountingPeriod(message, timeout=TIMEOUT_S)
    session.output.item(plain(answer.period))


@app.command()
def periods(context: typer.Context, limit: Limit = 100) -> None:
    """List the accounting periods that were closed, newest first."""
    session = session_of(context)
    message = ledger_pb2.ListAccountingPeriodsRequest()
    found = pages(session.ledger.ListAccountingPeriods, message, limit)
    columns = {"from": "start_time", "to": "end_time", "closed": "close_time"}
    session.output.rows([plain(each) for page in found for each in page.periods], columns)
