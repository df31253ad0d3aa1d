"""`walletctl prices`"""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import click
import typer
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from privy.transaction.v1 import price_book_pb2 as pb

from walletctl.output import plain
from walletctl.session import (
    TIMEOUT_S,
    AsOf,
    DryRun,
    Limit,
    RequestId,
    pages,
    request_id,
    session_of,
    timestamp,
)

app = typer.Typer(no_args_is_help=True, help="Prices, vendor costs and taxes.")

COLUMNS = {"version": "version", "holds from": "effective_time", "published": "create_time"}

# Names in a file are those of the protos without their prefix.
_PREFIXES = {"assets": {"kind": "ASSET_KIND_"}, "overrides": {"wallet_type": "WALLET_TYPE_"}}
_PRICE_PREFIX = {"kind": "PRICE_KIND_"}


@app.command()
def publish(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="TOML, as examples/price_book.toml.")],
    request: RequestId = "",
    dry_run: DryRun = False,
) -> None:
    """Publish a version; every fault in it is listed."""
    session = session_of(context)
    message = pb.PublishPriceBookRequest(
        request_id=request_id(request), price_book=read_price_book(file), validate_only=dry_run
    )
    answer = session.prices.PublishPriceBook(message, timeout=TIMEOUT_S)
    row = plain(answer.price_book)
    session.output.item({key: row[key] for key in COLUMNS.values() if key in row})


@app.command()
def show(
    context: typer.Context,
    version: Annotated[str, typer.Argument(help="The one in force, if not given.")] = "",
    as_of: AsOf = None,
) -> None:
    """Show a version."""
    session = session_of(context)
    message = pb.GetPriceBookRequest(version=version, as_of_time=timestamp(as_of))
    session.output.item(plain(session.prices.GetPriceBook(message, timeout=TIMEOUT_S).price_book))


@app.command("list")
def list_(context: typer.Context, limit: Limit = 100) -> None:
    """List versions, the last one first."""
    session = session_of(context)
    found = pages(session.prices.ListPriceBooks, pb.ListPriceBooksRequest(), limit)
    session.output.rows([plain(each) for page in found for each in page.price_books], COLUMNS)


def read_price_book(file: Path) -> pb.PriceBook:
    """Read a file of a price book's form; one of another form is a usage error, told in full."""
    try:
        content = tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file}: {error}") from None
    book, faults = pb.PriceBook(), list[str]()
    for name, value in content.items():
        for path, part in _parts(name, value):
            faults += _merge(book, path, part)
    if faults:
        raise click.UsageError("\n".join(f"{file}: {each}" for each in faults))
    return book


def _parts(name: str, value: Any) -> list[tuple[str, dict[str, Any]]]:
    """Take a field apart, so that each element of a list is read by itself."""
    if not isinstance(value, list):
        return [(name, {name: _moments_as_text(value)})]
    prefixes = _PREFIXES.get(name, {})
    return [
        (f"{name}[{i}]", {name: [_with_prefixes(each, prefixes)]}) for i, each in enumerate(value)
    ]


def _moments_as_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat() if value.tzinfo else f"{value.isoformat()}Z"
    return value


def _with_prefixes(value: Any, prefixes: dict[str, str]) -> Any:
    """Complete the names of enum values: of an element itself, and of the prices in it."""
    if not isinstance(value, dict):
        return value
    return {
        key: f"{prefixes[key]}{inner}"
        if key in prefixes and isinstance(inner, str)
        else _with_prefixes(inner, _PRICE_PREFIX)
        for key, inner in value.items()
    }


def _merge(book: Message, path: str, part: dict[str, Any]) -> list[str]:
    """Read a part of a file into `book`; answer what is wrong with its form."""
    try:
        book.MergeFrom(ParseDict(part, type(book)()))
    except ParseError as error:
        return [f"{path}: {error}"]
    return []
