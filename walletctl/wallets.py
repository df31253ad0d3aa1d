"""`walletctl wallets`"""

import json
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import click
import typer
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from privy.wallet.v1 import wallet_pb2

from walletctl.output import plain
from walletctl.session import (
    TIMEOUT_S,
    Asset,
    DryRun,
    Limit,
    RequestId,
    Yes,
    confirm,
    pages,
    request_id,
    session_of,
)

app = typer.Typer(no_args_is_help=True, help="Customers' holdings.")

COLUMNS = {
    "wallet": "wallet_id",
    "type": "type",
    "name": "display_name",
    "parent": "parent_wallet_id",
    "state": "state",
    "version": "version",
    "created": "create_time",
}


Parsed = TypeVar("Parsed", bound=Message)


class WalletType(StrEnum):
    PERSONAL = "personal"
    ENTERPRISE = "enterprise"
    RESELLER = "reseller"


def _attributes(path: str) -> Struct:
    return _read(path, Struct(), lambda values: values)


def _policy(path: str) -> wallet_pb2.SpendingPolicy:
    return _read(path, wallet_pb2.SpendingPolicy(), _with_prefixes)


def _read(path: str, message: Parsed, form: Callable[[Any], Any]) -> Parsed:
    """Read a message from a file of JSON, or from the standard input: `-`."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text()
        return ParseDict(form(json.loads(text)), message)
    except (OSError, ValueError, TypeError, AttributeError, ParseError) as error:
        raise click.BadParameter(f"{path} cannot be read: {error}") from None


def _with_prefixes(policy: Any) -> Any:
    """Give enums the prefixes that `plain` takes away."""
    limits = [
        {**limit, "period": f"LIMIT_PERIOD_{limit.get('period', 'UNSPECIFIED')}"}
        for limit in policy.get("limits", [])
    ]
    source = policy.get("funding_source", "UNSPECIFIED")
    return {**policy, "funding_source": f"FUNDING_SOURCE_{source}", "limits": limits}


Attributes = Annotated[
    Struct | None,
    typer.Option(parser=_attributes, metavar="FILE", help="JSON, as `get` shows it."),
]
Policy = Annotated[
    wallet_pb2.SpendingPolicy | None,
    typer.Option(parser=_policy, metavar="FILE", help="JSON, as `get` shows it."),
]
Version = Annotated[int, typer.Option(help="The version that was read.")]


@app.command()
def create(
    context: typer.Context,
    display_name: str,
    wallet_type: Annotated[WalletType, typer.Option("--type")] = WalletType.PERSONAL,
    parent: Annotated[str, typer.Option(help="The wallet above it.")] = "",
    attributes: Attributes = None,
    policy: Policy = None,
    request: RequestId = "",
    dry_run: DryRun = False,
) -> None:
    """Create an empty wallet."""
    session = session_of(context)
    wallet = wallet_pb2.Wallet(
        type=wallet_pb2.WalletType.Value(f"WALLET_TYPE_{wallet_type.upper()}"),
        display_name=display_name,
        parent_wallet_id=parent,
        attributes=attributes,
        policy=policy,
    )
    message = wallet_pb2.CreateWalletRequest(
        request_id=request_id(request), wallet=wallet, validate_only=dry_run
    )
    session.output.item(plain(session.wallets.CreateWallet(message, timeout=TIMEOUT_S).wallet))


@app.command()
def update(
    context: typer.Context,
    wallet_id: str,
    version: Version,
    name: Annotated[str, typer.Option(help="Its new name.")] = "",
    attributes: Attributes = None,
    policy: Policy = None,
    request: RequestId = "",
    dry_run: DryRun = False,
) -> None:
    """Replace a wallet's name, attributes or policy, whichever are given."""
    session = session_of(context)
    message = wallet_pb2.UpdateWalletRequest(
        request_id=request_id(request),
        wallet_id=wallet_id,
        version=version,
        display_name=name,
        attributes=attributes,
        policy=policy,
        validate_only=dry_run,
    )
    session.output.item(plain(session.wallets.UpdateWallet(message, timeout=TIMEOUT_S).wallet))


@app.command()
def move(
    context: typer.Context,
    wallet_id: str,
    version: Version,
    parent: Annotated[str, typer.Option(help="The wallet to be above it; '' for none.")],
    request: RequestId = "",
    dry_run: DryRun = False,
) -> None:
    """Put a wallet, and all below it, under another one."""
    session = session_of(context)
    message = wallet_pb2.MoveWalletRequest(
        request_id=request_id(request),
        wallet_id=wallet_id,
        version=version,
        parent_wallet_id=parent,
        validate_only=dry_run,
    )
    session.output.item(plain(session.wallets.MoveWallet(message, timeout=TIMEOUT_S).wallet))


@app.command()
def get(context: typer.Context, wallet_id: str) -> None:
    """Show a wallet."""
    session = session_of(context)
    message = wallet_pb2.GetWalletRequest(wallet_id=wallet_id)
    session.output.item(plain(session.wallets.GetWallet(message, timeout=TIMEOUT_S).wallet))


@app.command("list")
def list_(
    context: typer.Context,
    parent: Annotated[str, typer.Option(help="Only wallets directly under this one.")] = "",
    limit: Limit = 100,
) -> None:
    """List wallets, oldest first."""
    session = session_of(context)
    message = wallet_pb2.ListWalletsRequest(parent_wallet_id=parent)
    found = pages(session.wallets.ListWallets, message, limit)
    session.output.rows([plain(each) for page in found for each in page.wallets], COLUMNS)


@app.command()
def freeze(
    context: typer.Context, wallet_id: str, request: RequestId = "", dry_run: DryRun = False
) -> None:
    """Refuse every debit of a wallet from now on."""
    session = session_of(context)
    message = wallet_pb2.FreezeWalletRequest(
        request_id=request_id(request), wallet_id=wallet_id, validate_only=dry_run
    )
    session.output.item(plain(session.wallets.FreezeWallet(message, timeout=TIMEOUT_S).wallet))


@app.command()
def unfreeze(
    context: typer.Context, wallet_id: str, request: RequestId = "", dry_run: DryRun = False
) -> None:
    """Let a frozen wallet be used again."""
    session = session_of(context)
    message = wallet_pb2.UnfreezeWalletRequest(
        request_id=request_id(request), wallet_id=wallet_id, validate_only=dry_run
    )
    session.output.item(plain(session.wallets.UnfreezeWallet(message, timeout=TIMEOUT_S).wallet))


@app.command()
def close(
    context: typer.Context,
    wallet_id: str,
    request: RequestId = "",
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Close an empty wallet for good."""
    session = session_of(context)
    if not dry_run:
        confirm(f"Close {wallet_id} for good?", yes=yes)
    message = wallet_pb2.CloseWalletRequest(
        request_id=request_id(request), wallet_id=wallet_id, validate_only=dry_run
    )
    session.output.item(plain(session.wallets.CloseWallet(message, timeout=TIMEOUT_S).wallet))


@app.command("credit-limit")
def credit_limit(
    context: typer.Context,
    wallet_id: str,
    limit_minor: Annotated[int, typer.Argument(min=0, help="In minor units.")],
    asset: Asset,
    request: RequestId = "",
    dry_run: DryRun = False,
) -> None:
    """Set how far a wallet may go below zero in an asset."""
    session = session_of(context)
    message = wallet_pb2.SetCreditLimitRequest(
        request_id=request_id(request),
        wallet_id=wallet_id,
        asset_code=asset,
        credit_limit_minor=limit_minor,
        validate_only=dry_run,
    )
    session.output.item(plain(session.wallets.SetCreditLimit(message, timeout=TIMEOUT_S).wallet))
