"""What every command is given: the services' stubs, and how to show what they answer."""

import getpass
import json
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any

import click
import grpc
import typer
from google.protobuf.timestamp_pb2 import Timestamp
from privy.transaction.v1 import price_book_pb2_grpc, transaction_pb2_grpc
from privy.wallet.v1 import (
    event_log_pb2_grpc,
    feed_pb2_grpc,
    ledger_pb2_grpc,
    wallet_pb2_grpc,
)

from shared.dead_letter import MAX_ATTRIBUTE_BYTES
from shared.process import load_settings
from walletctl.finance.settings import FinanceSettings
from walletctl.output import Output

TIMEOUT_S = 10.0
PAGE_SIZE = 1000

# A long comparison outlives a short outage; whatever is asked of this service may be repeated.
_RETRIES = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{"service": "privy.wallet.v1.EventLogService"}],
                "retryPolicy": {
                    "maxAttempts": 5,
                    "initialBackoff": "0.5s",
                    "maxBackoff": "5s",
                    "backoffMultiplier": 3,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
)


@dataclass
class Session:
    """Opens a channel when it is first needed."""

    transaction_target: str
    wallet_target: str
    output: Output

    @cached_property
    def transactions(self) -> transaction_pb2_grpc.TransactionServiceStub:
        return transaction_pb2_grpc.TransactionServiceStub(self._transaction_channel)

    @cached_property
    def prices(self) -> price_book_pb2_grpc.PriceBookServiceStub:
        return price_book_pb2_grpc.PriceBookServiceStub(self._transaction_channel)

    @cached_property
    def wallets(self) -> wallet_pb2_grpc.WalletServiceStub:
        return wallet_pb2_grpc.WalletServiceStub(self._wallet_channel)

    @cached_property
    def ledger(self) -> ledger_pb2_grpc.LedgerServiceStub:
        return ledger_pb2_grpc.LedgerServiceStub(self._wallet_channel)

    @cached_property
    def feed(self) -> feed_pb2_grpc.EventFeedServiceStub:
        return feed_pb2_grpc.EventFeedServiceStub(self._wallet_channel)

    @cached_property
    def event_log(self) -> event_log_pb2_grpc.EventLogServiceStub:
        return event_log_pb2_grpc.EventLogServiceStub(self._wallet_channel)

    @cached_property
    def finance(self) -> FinanceSettings:
        return load_settings(FinanceSettings)

    @property
    def transaction_target_given(self) -> str:
        """Where the Transaction service is; a usage error if nobody said."""
        return _given(self.transaction_target, "TRANSACTION_TARGET", "--transaction-target")

    @cached_property
    def _transaction_channel(self) -> grpc.Channel:
        return _channel(self.transaction_target_given)

    @cached_property
    def _wallet_channel(self) -> grpc.Channel:
        return _channel(_given(self.wallet_target, "WALLET_TARGET", "--wallet-target"))


def _given(target: str, variable: str, option: str) -> str:
    if not target:
        raise click.UsageError(f"where is the service? set {variable}, or give {option} host:port")
    return target


def _channel(target: str) -> grpc.Channel:
    return grpc.insecure_channel(target, options=[("grpc.service_config", _RETRIES)])


def session_of(context: typer.Context) -> Session:
    session = context.find_object(Session)
    if session is None:
        raise RuntimeError("a command runs below the app's callback")
    return session


def say(words: str) -> None:
    """Tell the operator something that is no data."""
    print(words, file=sys.stderr)  # noqa: T201 (a command says so)


def request_id(given: str) -> str:
    """Answer the request id to use; a new one is told first, so that it can be repeated."""
    if given:
        return given
    made = uuid.uuid4().hex
    say(f"request id: {made}")
    return made


def confirm(question: str, *, yes: bool) -> None:
    """Ask before what cannot be taken back; where nobody can answer, `--yes` is needed."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} There is nobody to ask here: give --yes.")
    click.confirm(question, abort=True, err=True)


def pages(list_page: Callable[..., Any], request: Any, limit: int) -> Iterator[Any]:
    """Walk a list page by page; answer at most `limit` pages' worth of answers, one at a time."""
    left = limit
    while left > 0:
        request.page_size = min(left, PAGE_SIZE)
        page = list_page(request, timeout=TIMEOUT_S)
        yield page
        left -= request.page_size
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def moment(text: str) -> datetime:
    """Read an ISO 8601 time, or `now`; without an offset it is UTC."""
    if text == "now":
        return datetime.now(UTC)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            "is no time like 2026-01-31 or 2026-01-31T12:00:00+07:00"
        ) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def reason_text(text: str) -> str:
    if not text or len(text.encode()) > MAX_ATTRIBUTE_BYTES:
        raise click.BadParameter(f"must have 1 to {MAX_ATTRIBUTE_BYTES:,} bytes")
    return text


def timestamp(at: datetime | None) -> Timestamp | None:
    if at is None:
        return None
    out = Timestamp()
    out.FromDatetime(at)
    return out


RequestId = Annotated[
    str, typer.Option("--request-id", help="Idempotency key; a new one if not given.")
]
Why = Annotated[str, typer.Option("--reason", parser=reason_text, help="Why you do it.")]
Operator = Annotated[
    str, typer.Option("--operator", default_factory=getpass.getuser, help="Who you are.")
]
Rate = Annotated[float, typer.Option("--rate", min=0.1, max=10_000, help="So many a second.")]
WrittenFrom = Annotated[
    datetime | None,
    typer.Option("--from", parser=moment, metavar="TIME", help="Written then or later."),
]
WrittenTo = Annotated[
    datetime | None,
    typer.Option("--to", parser=moment, metavar="TIME", help="Written before then."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Run every check, change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many.")]
Asset = Annotated[str, typer.Option("--asset", help="Currency or quota unit, such as IDR.")]
AnyAsset = Annotated[str, typer.Option("--asset", help="Only this currency or quota unit.")]
AmountMinor = Annotated[int, typer.Option("--amount", help="In minor units.")]
AsOf = Annotated[
    datetime | None, typer.Option("--as-of", parser=moment, metavar="TIME", help="Not now: then.")
]
