"""`walletctl lots`"""

import typer
from privy.wallet.v1 import wallet_pb2

from walletctl.output import plain
from walletctl.session import TIMEOUT_S, AnyAsset, session_of

app = typer.Typer(no_args_is_help=True, help="Parts of balances with terms of their own.")

COLUMNS = {
    "lot": "lot_id",
    "asset": "asset_code",
    "kind": "kind",
    "priority": "priority",
    "expires": "expire_time",
    "added": "amount_minor",
    "remaining": "remaining_minor",
    "held": "held_minor",
}


@app.command("list")
def list_(context: typer.Context, wallet_id: str, asset: AnyAsset = "") -> None:
    """List the lots that still hold something, in the order in which they are drawn."""
    session = session_of(context)
    message = wallet_pb2.ListLotsRequest(wallet_id=wallet_id, asset_code=asset)
    found = [plain(each) for each in session.wallets.ListLots(message, timeout=TIMEOUT_S).lots]
    session.output.rows([each | each.pop("terms") for each in found], COLUMNS)
