"""`walletctl events`"""

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer
from privy.wallet.v1 import feed_pb2

from walletctl.output import counting
from walletctl.session import (
    TIMEOUT_S,
    DryRun,
    Operator,
    Rate,
    Why,
    WrittenFrom,
    WrittenTo,
    Yes,
    confirm,
    session_of,
    timestamp,
)

app = typer.Typer(no_args_is_help=True, help="What the ledger tells finance.")

MAX_LETTERS_COUNTED = 1_000


@app.command()
def lag(context: typer.Context) -> None:
    """Say how far events are behind: in the feed, on their way to Firestore, among the dead.

    Dead letters are counted up to 1,000, and hidden from other operators meanwhile.
    """
    from walletctl.finance.clients import open_desk  # noqa: PLC0415
    from walletctl.finance.lag import FIELDS, row_of  # noqa: PLC0415

    session = session_of(context)
    with open_desk(session.finance) as desk:
        newest = desk.documents.newest(FIELDS)
        after = newest["transaction_id"] if newest else ""
        status = session.feed.GetFeedStatus(
            feed_pb2.GetFeedStatusRequest(after_transaction_id=after), timeout=TIMEOUT_S
        )
        now = datetime.now(UTC)
        letters = sum(1 for _ in islice(desk.queue.letters(), MAX_LETTERS_COUNTED))
    session.output.item(row_of(status, newest, letters, now))


@app.command()
def republish(
    context: typer.Context,
    why: Why,
    operator: Operator,
    start: WrittenFrom = None,
    end: WrittenTo = None,
    wallet: Annotated[str, typer.Option("--wallet", help="Only of this wallet.")] = "",
    product: Annotated[str, typer.Option("--product", help="Only of this product.")] = "",
    rate: Rate = 500.0,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Publish the ledger's events again; those whose document is there have no second effect.

    Stopped in between, it goes on with `--from` the last create time that it told.
    """
    from walletctl.finance.clients import open_archive  # noqa: PLC0415
    from walletctl.finance.events import LedgerEvents  # noqa: PLC0415
    from walletctl.finance.republishing import Backfill, Republisher, Wanted  # noqa: PLC0415

    session = session_of(context)
    if not dry_run:
        confirm("Publish all these events again?", yes=yes)
    ledger = LedgerEvents(session.event_log)
    with open_archive(session.finance) as archive:
        written = ledger.written(timestamp(start), timestamp(end))
        events = filter(Wanted(wallet, product).matches, written.events)
        backfill = Backfill(Republisher(ledger, archive.acts, operator, why))
        try:
            with counting("events") as report:
                backfill.run(events, None if dry_run else rate, report)
        finally:
            session.output.item(backfill.row())
