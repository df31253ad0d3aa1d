"""`walletctl entries`"""

from datetime import datetime
from typing import Annotated

import click
import typer
from privy.wallet.v1 import wallet_pb2

from walletctl.output import plain
from walletctl.session import AnyAsset, Limit, moment, pages, session_of, timestamp

app = typer.Typer(no_args_is_help=True, help="What moved on wallets.")

COLUMNS = {
    "written": "create_time",
    "transaction": "transaction_id",
    "kind": "kind",
    "asset": "asset_code",
    "amount": "amount_minor",
    "held change": "held_change_minor",
    "posted after": "posted_after_minor",
    "held after": "held_after_minor",
    "reference": "reference",
}


@app.command("list")
def list_(
    context: typer.Context,
    wallet_id: str,
    asset: AnyAsset = "",
    start: Annotated[
        datetime | None,
        typer.Option("--from", parser=moment, metavar="TIME", help="Written then or later."),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option("--to", parser=moment, metavar="TIME", help="Written before then."),
    ] = None,
    kind: Annotated[str, typer.Option(help="Such as TOP_UP.")] = "",
    reference: Annotated[str, typer.Option(help="The caller's business id.")] = "",
    note: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE of the metadata; may be repeated.")
    ] = None,
    limit: Limit = 100,
) -> None:
    """List a wallet's entries, newest first."""
    session = session_of(context)
    message = wallet_pb2.ListEntriesRequest(
        wallet_id=wallet_id,
        asset_code=asset,
        start_time=timestamp(start),
        end_time=timestamp(end),
        kind=kind,
        reference=reference,
        metadata=_notes(note or []),
    )
    found = pages(session.wallets.ListEntries, message, limit)
    session.output.rows([plain(each) for page in found for each in page.entries], COLUMNS)


def _notes(pairs: list[str]) -> dict[str, str]:
    notes = {}
    for pair in pairs:
        key, is_pair, value = pair.partition("=")
        if not is_pair:
            raise click.BadParameter(f"{pair} is no KEY=VALUE", param_hint="--note")
        notes[key] = value
    return notes
