"""`walletctl actions batch`"""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import click
import typer
from google.protobuf import json_format
from google.rpc import error_details_pb2
from privy.transaction.v1 import transaction_pb2 as pb

from walletctl.session import TIMEOUT_S, DryRun, Session, session_of

MAX_ITEMS = 1_000
COLUMNS = {"line": "line", "request id": "request_id", "transaction": "transaction_id",
           "reason": "reason", "words": "message"}  # fmt: skip

AllOrNothing = Annotated[
    bool, typer.Option("--all-or-nothing", help="Do none if one is refused; at most 1,000.")
]


def batch(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, allow_dash=True)],
    all_or_nothing: AllOrNothing = False,
    dry_run: DryRun = False,
) -> None:
    """Do the actions of FILE, one JSON object a line: {"top_up": {"request_id": …, …}}.

    The fields are those of the calls. Each action has a request id of its own, so FILE may be sent
    again: what was done is not done twice. Exits 1 if any is refused.
    """
    items = list(_items(file))
    if all_or_nothing and len(items) > MAX_ITEMS:
        raise click.UsageError(f"{len(items)} actions are too many to be all or nothing")
    mode = pb.BATCH_MODE_ALL_OR_NOTHING if all_or_nothing else pb.BATCH_MODE_INDEPENDENT
    parts = (items[start : start + MAX_ITEMS] for start in range(0, len(items), MAX_ITEMS))
    session = session_of(context)
    results = chain.from_iterable(_execute(session, part, mode, dry_run) for part in parts)
    rows = [_row(line, *pair) for line, pair in enumerate(zip(items, results, strict=True), 1)]
    session.output.rows(rows, COLUMNS)
    if any(row["reason"] for row in rows):
        raise typer.Exit(1)


def _items(file: Path) -> Iterator[pb.BatchItem]:
    with click.open_file(str(file)) as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield json_format.Parse(line, pb.BatchItem())
            except json_format.ParseError as error:
                raise click.UsageError(f"{file}, line {number}: {error}") from None


def _execute(
    session: Session,
    items: Sequence[pb.BatchItem],
    mode: "pb.BatchMode.ValueType",
    dry_run: bool,
) -> Sequence[pb.BatchResult]:
    request = pb.ExecuteBatchRequest(items=items, mode=mode, validate_only=dry_run)
    return session.transactions.ExecuteBatch(request, timeout=TIMEOUT_S).results


def _row(line: int, item: pb.BatchItem, result: pb.BatchResult) -> dict[str, Any]:
    info = error_details_pb2.ErrorInfo()
    for detail in result.error.details:
        detail.Unpack(info)
    action = item.WhichOneof("action")
    return {
        "line": line,
        "request_id": getattr(item, action).request_id if action else "",
        "transaction_id": result.transaction.transaction_id,
        "reason": info.reason,
        "message": result.error.message,
    }
