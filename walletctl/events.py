"""`walletctl events`"""

from datetime import UTC, datetime
from itertools import islice

import typer
from privy.wallet.v1 import feed_pb2

from walletctl.session import TIMEOUT_S, session_of

app = typer.Typer(no_args_is_help=True, help="What the ledger tells finance.")

MAX_LETTERS_COUNTED = 1_000


@app.callback()
def events() -> None:
    """Keep `lag` a verb of its own, though it is the only one."""


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
