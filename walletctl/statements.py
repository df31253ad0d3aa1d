"""`walletctl statements`"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from privy.wallet.v1 import wallet_pb2

from walletctl.basis import Basis, By
from walletctl.output import Output, Row, plain
from walletctl.session import PAGE_SIZE, TIMEOUT_S, Asset, moment, session_of, timestamp

app = typer.Typer(no_args_is_help=True, help="What happened to a balance in a stretch of time.")

COLUMNS = {
    "counts": "effective_time",
    "transaction": "transaction_id",
    "kind": "kind",
    "reference": "reference",
    "change": "change_minor",
    "held change": "held_change_minor",
    "balance": "balance_minor",
}


@app.command("print")
def print_(
    context: typer.Context,
    wallet_id: str,
    asset: Asset,
    start: Annotated[
        datetime, typer.Option("--from", parser=moment, metavar="TIME", help="Inclusive.")
    ],
    end: Annotated[
        datetime, typer.Option("--to", parser=moment, metavar="TIME", help="Exclusive.")
    ],
    by: By = Basis.EFFECTIVE,
) -> None:
    """Print a wallet's statement: opening balance, entries, closing balance."""
    session = session_of(context)
    message = wallet_pb2.GetStatementRequest(
        wallet_id=wallet_id,
        asset_code=asset,
        start_time=timestamp(start),
        end_time=timestamp(end),
        time_basis=by.proto,
        page_size=PAGE_SIZE,
    )
    entries: list[dict[str, Any]] = []
    while True:
        page = session.wallets.GetStatement(message, timeout=TIMEOUT_S)
        entries += [plain(each) for each in page.entries]
        if not page.next_page_token:
            break
        message.page_token = page.next_page_token
    opening, closing = plain(page.opening), plain(page.closing)
    if session.output.as_json:
        session.output.json({"opening": opening, "entries": entries, "closing": closing})
    else:
        _show(session.output, opening, entries, closing)


def _show(output: Output, opening: Row, entries: Sequence[Row], closing: Row) -> None:
    balance_minor = opening["posted_minor"]
    rows = [{"kind": "opening balance", "balance_minor": balance_minor}]
    for entry in entries:
        balance_minor -= entry["amount_minor"]
        rows.append(
            {**entry, "change_minor": -entry["amount_minor"], "balance_minor": balance_minor}
        )
    rows.append({"kind": "closing balance", "balance_minor": closing["posted_minor"]})
    output.rows(rows, COLUMNS)
