"""`walletctl balances`"""

import typer
from privy.wallet.v1 import wallet_pb2

from walletctl.basis import Basis, By
from walletctl.output import plain
from walletctl.session import TIMEOUT_S, AsOf, session_of, timestamp

app = typer.Typer(no_args_is_help=True, help="What wallets hold.")

COLUMNS = {
    "asset": "asset_code",
    "posted": "posted_minor",
    "held": "held_minor",
    "credit limit": "credit_limit_minor",
    "available": "available_minor",
}


@app.command()
def get(context: typer.Context, wallet_id: str, as_of: AsOf = None, by: By = Basis.RECORD) -> None:
    """Show a wallet's balances, now or as of a time."""
    session = session_of(context)
    message = wallet_pb2.GetBalancesRequest(
        wallet_id=wallet_id, as_of_time=timestamp(as_of), time_basis=by.proto
    )
    found = session.wallets.GetBalances(message, timeout=TIMEOUT_S).balances
    session.output.rows([plain(each) for each in found], COLUMNS)
