"""`walletctl pnl`"""

from typing import Annotated

import typer
from privy.wallet.v1 import ledger_pb2

from walletctl.failures import EXIT_REFUSED
from walletctl.finance import profit
from walletctl.finance.profit import Dimension
from walletctl.output import plain
from walletctl.session import TIMEOUT_S, say, session_of

app = typer.Typer(help="What was earned, and what it cost.")


@app.callback()
def pnl() -> None:
    """Keep `show` a verb of its own, though it is the only one."""


@app.command()
def show(
    context: typer.Context,
    by: Annotated[Dimension, typer.Option(help="Whose profit and loss.")] = Dimension.PRODUCT,
) -> None:
    """Sum finance's documents, and check them against the ledger; exit 1 if they differ."""
    from walletctl.finance.clients import open_documents  # noqa: PLC0415

    session = session_of(context)
    with open_documents(session.finance) as documents:
        sums = profit.sums_by(by, documents.all(profit.FIELDS))
    answer = session.ledger.GetTrialBalance(ledger_pb2.GetTrialBalanceRequest(), timeout=TIMEOUT_S)
    columns = {
        by.value: by.value,
        "asset": "asset_code",
        "revenue": "revenue_minor",
        "breakage": "breakage_minor",
        "cost": "cost_minor",
        "profit": "profit_minor",
    }
    session.output.rows(profit.rows_of(by, sums), columns)
    if off := profit.differences(sums.values(), [plain(each) for each in answer.lines]):
        say("\n".join([*off, "are events under way, or among the dead letters?"]))
        raise typer.Exit(EXIT_REFUSED)
    say("the documents agree with the ledger")
