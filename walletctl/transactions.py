"""`walletctl transactions`"""

from typing import Annotated, Any

import typer
from privy.transaction.v1 import transaction_pb2 as pb

from walletctl.output import plain
from walletctl.session import TIMEOUT_S, Limit, pages, session_of

app = typer.Typer(no_args_is_help=True, help="What was asked and booked.")

COLUMNS = {
    "transaction": "transaction_id",
    "booking": "booking_id",
    "kind": "kind",
    "state": "state",
    "wallet": "wallet_id",
    "target": "target_wallet_id",
    "asset": "asset",
    "amount": "amount_minor",
    "reference": "reference",
    "written": "create_time",
}


@app.command()
def get(context: typer.Context, transaction_id: str) -> None:
    """Show a transaction."""
    session = session_of(context)
    message = pb.GetTransactionRequest(transaction_id=transaction_id)
    found = session.transactions.GetTransaction(message, timeout=TIMEOUT_S)
    session.output.item(plain(found.transaction))


@app.command("list")
def list_(
    context: typer.Context,
    wallet_id: str,
    booking: Annotated[str, typer.Option(help="Only those of this booking.")] = "",
    limit: Limit = 100,
) -> None:
    """List the transactions asked of a wallet, newest first."""
    session = session_of(context)
    message = pb.ListTransactionsRequest(wallet_id=wallet_id, booking_id=booking)
    found = pages(session.transactions.ListTransactions, message, limit)
    rows = [_row(each) for page in found for each in page.transactions]
    session.output.rows(rows, COLUMNS)


def _row(transaction: pb.Transaction) -> dict[str, Any]:
    amount = transaction.amount
    return plain(transaction) | {"asset": amount.asset_code, "amount_minor": amount.minor_units}
