"""Puts the nouns together."""

import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from walletctl import (
    actions,
    balances,
    batches,
    bench,
    deadletters,
    entries,
    events,
    ledger,
    lots,
    migrate,
    pnl,
    prices,
    reconcile,
    statements,
    transactions,
    wallets,
)
from walletctl.output import Output
from walletctl.session import Session

WIDTH = 160
"""Columns of a table that goes into a file or another program: enough to break no word."""

app = typer.Typer(
    no_args_is_help=True, help="Operate the Transaction-Wallet system.", rich_markup_mode=None
)
NOUNS = (
    wallets,
    balances,
    lots,
    entries,
    statements,
    actions,
    transactions,
    prices,
    ledger,
    events,
    deadletters,
    pnl,
)
for noun in NOUNS:
    app.add_typer(noun.app, name=noun.__name__.rpartition(".")[2])
for command in (reconcile.reconcile, migrate.migrate, bench.bench):
    app.command()(command)
actions.app.command()(batches.batch)


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"


@app.callback()
def set_up(
    context: typer.Context,
    output: Annotated[
        Form | None, typer.Option(help="A table on a terminal, else JSON, unless said here.")
    ] = None,
    transaction_target: Annotated[str, typer.Option(envvar="TRANSACTION_TARGET")] = "",
    wallet_target: Annotated[str, typer.Option(envvar="WALLET_TARGET")] = "",
) -> None:
    form = output or (Form.TABLE if sys.stdout.isatty() else Form.JSON)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    context.obj = Session(transaction_target, wallet_target, Output(form is Form.JSON, console))
