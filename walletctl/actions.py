"""`walletctl actions`"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer
from privy.transaction.v1 import transaction_pb2 as pb
from privy.wallet.v1 import lot_pb2
from privy.wallet.v1.amount_pb2 import Amount

from walletctl.output import plain
from walletctl.session import (
    TIMEOUT_S,
    AmountMinor,
    Asset,
    DryRun,
    RequestId,
    moment,
    request_id,
    session_of,
    timestamp,
)

app = typer.Typer(no_args_is_help=True, help="Move money and quota.")

Reference = Annotated[str, typer.Option(help="Business id.")]
Product = Annotated[str, typer.Option("--product", help="A product of the price book.")]
Quantity = Annotated[int, typer.Option(min=1, help="How many units.")]
ExpiresAt = Annotated[
    datetime | None, typer.Option("--expires", parser=moment, metavar="TIME", help="When it ends.")
]


class LotKind(StrEnum):
    PAID = "paid"
    BONUS = "bonus"
    PACKAGE = "package"
    ADD_ON = "add_on"


@app.command("top-up")
def top_up(
    context: typer.Context,
    wallet_id: str,
    amount: AmountMinor,
    asset: Asset,
    lot: Annotated[LotKind | None, typer.Option(help="Add it as a lot of its own.")] = None,
    priority: Annotated[int, typer.Option(min=0, max=1000, help="The lot's; 0 means 100.")] = 0,
    expires: ExpiresAt = None,
    reference: Reference = "",
    request: RequestId = "",
    dry_run: DryRun = False,
) -> None:
    """Add money or quota to a wallet."""
    session = session_of(context)
    message = pb.TopUpRequest(
        request_id=request_id(request),
        wallet_id=wallet_id,
        amount=Amount(asset_code=asset, minor_units=amount),
        reference=reference,
        validate_only=dry_run,
    )
    if lot or priority or expires:
        kind = lot_pb2.LotKind.Value(f"LOT_KIND_{(lot or LotKind.PAID).upper()}")
        terms = lot_pb2.LotTerms(kind=kind, priority=priority, expire_time=timestamp(expires))
        message.lot.CopyFrom(terms)
    answer = session.transactions.TopUp(message, timeout=TIMEOUT_S)
    session.output.item(plain(answer.transaction))


@app.command()
def book(
    context: typer.Context,
    wallet_id: str,
    product: Product,
    quantity: Quantity = 1,
    expires: ExpiresAt = None,
    reference: Reference = "",
    request: RequestId = "",
    dry_run: DryRun = False,
) -> None:
    """Set the price of a usage aside."""
    session = session_of(context)
    message = pb.BookUsageRequest(
        request_id=request_id(request),
        wallet_id=wallet_id,
        product_code=product,
        quantity=quantity,
        expire_time=timestamp(expires),
        reference=reference,
        validate_only=dry_run,
    )
    answer = session.transactions.BookUsage(message, timeout=TIMEOUT_S)
    session.output.item(plain(answer.transaction))


@app.command()
def commit(
    context: typer.Context,
    booking_id: str,
    quantity: Quantity = 1,
    reference: Reference = "",
    request: RequestId = "",
    dry_run: DryRun = False,
) -> None:
    """Take all or part of a booking."""
    session = session_of(context)
    message = pb.CommitUsageRequest(
        request_id=request_id(request),
        booking_id=booking_id,
        quantity=quantity,
        reference=reference,
        validate_only=dry_run,
    )
    answer = session.transactions.CommitUsage(message, timeout=TIMEOUT_S)
    session.output.item(plain(answer.transaction))


@app.command()
def cancel(
    context: typer.Context,
    booking_id: str,
    reference: Reference = "",
    request: RequestId = "",
    dry_run: DryRun = False,
) -> None:
    """Set free what a booking still holds."""
    session = session_of(context)
    message = pb.CancelUsageRequest(
        request_id=request_id(request),
        booking_id=booking_id,
        reference=reference,
        validate_only=dry_run,
    )
    answer = session.transactions.CancelUsage(message, timeout=TIMEOUT_S)
    session.output.item(plain(answer.transaction))


@app.command()
def usage(
    context: typer.Context,
    wallet_id: str,
    product: Product,
    quantity: Quantity = 1,
    reference: Reference = "",
    request: RequestId = "",
    dry_run: DryRun = False,
) -> None:
    """Book and commit a usage in one step."""
    session = session_of(context)
    message = pb.RecordUsageRequest(
        request_id=request_id(request),
        wallet_id=wallet_id,
        product_code=product,
        quantity=quantity,
        reference=reference,
        validate_only=dry_run,
    )
    answer = session.transactions.RecordUsage(message, timeout=TIMEOUT_S)
    session.output.item(plain(answer.transaction))


@app.command()
def quote(context: typer.Context, wallet_id: str, product: Product, quantity: Quantity = 1) -> None:
    """Price a usage, and say whether the wallet could pay for it."""
    session = session_of(context)
    message = pb.QuoteUsageRequest(wallet_id=wallet_id, product_code=product, quantity=quantity)
    session.output.item(plain(session.transactions.QuoteUsage(message, timeout=TIMEOUT_S)))


@app.command()
def transfer(
    context: typer.Context,
    source_wallet_id: str,
    target_wallet_id: str,
    amount: AmountMinor,
    asset: Asset,
    reference: Reference = "",
    request: RequestId = "",
    dry_run: DryRun = False,
) -> None:
    """Move money or quota from one wallet to another."""
    session = session_of(context)
    message = pb.TransferRequest(
        request_id=request_id(request),
        source_wallet_id=source_wallet_id,
        target_wallet_id=target_wallet_id,
        amount=Amount(asset_code=asset, minor_units=amount),
        reference=reference,
        validate_only=dry_run,
    )
    answer = session.transactions.Transfer(message, timeout=TIMEOUT_S)
    session.output.item(plain(answer.transaction))


@app.command()
def void(
    context: typer.Context,
    transaction_id: str,
    amount: Annotated[
        int, typer.Option(min=0, help="In minor units; 0 means all that is left.")
    ] = 0,
    asset: Annotated[str, typer.Option(help="Needed with --amount.")] = "",
    reference: Reference = "",
    request: RequestId = "",
    dry_run: DryRun = False,
) -> None:
    """Take a finished transaction back, whole or in part."""
    session = session_of(context)
    message = pb.VoidTransactionRequest(
        request_id=request_id(request),
        transaction_id=transaction_id,
        amount=Amount(asset_code=asset, minor_units=amount) if amount else None,
        reference=reference,
        validate_only=dry_run,
    )
    answer = session.transactions.VoidTransaction(message, timeout=TIMEOUT_S)
    session.output.item(plain(answer.transaction))
