"""Proto ⇄ price books."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from privy.transaction.v1 import price_book_pb2 as pb
from privy.wallet.v1 import wallet_pb2

from shared.errors import invalid
from shared.fields import checked_text, moment_of
from shared.idempotency import body_digest, digest
from transaction_service.catalogue import Publish
from transaction_service.pricing.price_book import (
    Asset,
    Override,
    Price,
    PriceBook,
    Product,
    Tax,
    Tier,
    VendorCost,
)
from transaction_service.store import Publication, Published

MAX_ID = 64


def _names(enum: Any, prefix: str) -> Mapping[int, str | None]:
    return {number: name.removeprefix(prefix) for name, number in enum.items() if number}


_ASSET_KINDS = _names(pb.AssetKind, "ASSET_KIND_")
_PRICE_KINDS = _names(pb.PriceKind, "PRICE_KIND_")
_WALLET_TYPES = _names(wallet_pb2.WalletType, "WALLET_TYPE_")


# Requests in.


def publish_of(message: pb.PublishPriceBookRequest) -> Publish:
    if message.price_book.HasField("create_time"):
        raise invalid("price_book.create_time", "is assigned by the service")
    return Publish(
        request_id=checked_text(message.request_id, "request_id", 1, MAX_ID),
        request_digest=digest(message.request_id.encode()),
        body_digest=body_digest(message),
        book=book_of(message.price_book),
        effective_at=moment_of(message.price_book, "effective_time", "price_book"),
        validate_only=message.validate_only,
    )


def version_of(message: pb.GetPriceBookRequest) -> tuple[str, datetime | None]:
    """Read the version, empty for the one in force, and the time at which."""
    if message.version and message.HasField("as_of_time"):
        raise invalid("as_of_time", "must be unset where version is set")
    version = checked_text(message.version, "version", 0, MAX_ID)
    return version, moment_of(message, "as_of_time")


def book_of(message: pb.PriceBook) -> PriceBook:
    """Read a book's content as it is, with whatever faults it has."""
    return PriceBook(
        version=message.version,
        assets=tuple(_asset_of(each) for each in message.assets),
        taxes=tuple(
            Tax(
                tax_code=each.tax_code,
                rate_basis_points=each.rate_basis_points,
                inclusive=each.inclusive,
            )
            for each in message.taxes
        ),
        products=tuple(_product_of(each) for each in message.products),
        overrides=tuple(_override_of(each) for each in message.overrides),
    )


def _asset_of(message: pb.Asset) -> Asset:
    values = {
        "asset_code": message.asset_code,
        "kind": _ASSET_KINDS.get(message.kind),
        "scale": message.scale if message.HasField("scale") else None,
    }
    return Asset.model_validate(values)


def _product_of(message: pb.Product) -> Product:
    return Product(
        product_code=message.product_code,
        asset_code=message.asset_code,
        price=_price_of(message.price),
        tax_code=message.tax_code,
        vendor_cost=_cost_of(message.vendor_cost) if message.HasField("vendor_cost") else None,
    )


def _cost_of(message: pb.VendorCost) -> VendorCost:
    return VendorCost(
        vendor_code=message.vendor_code,
        asset_code=message.asset_code,
        cost=_price_of(message.cost),
    )


def _override_of(message: pb.PriceOverride) -> Override:
    values = {
        "wallet_id": message.wallet_id,
        "reseller_wallet_id": message.reseller_wallet_id,
        "wallet_type": _WALLET_TYPES.get(message.wallet_type),
        "product_code": message.product_code,
        "price": _price_of(message.price),
    }
    return Override.model_validate(values)


def _price_of(message: pb.Price) -> Price:
    values = {
        "kind": _PRICE_KINDS.get(message.kind),
        "unit_minor": message.unit_minor,
        "tiers": tuple(
            Tier(up_to=each.up_to, unit_minor=each.unit_minor) for each in message.tiers
        ),
        "package_quantity": message.package_quantity,
        "package_minor": message.package_minor,
        "minimum_fee_minor": message.minimum_fee_minor,
    }
    return Price.model_validate(values)


# Answers out.


def published_out(published: Published) -> pb.PriceBook:
    """Show a version with all that stands in it."""
    book = published.book
    message = publication_out(published.publication)
    message.assets.extend(_asset_out(each) for each in book.assets)
    message.taxes.extend(pb.Tax(**each.model_dump()) for each in book.taxes)
    message.products.extend(_product_out(each) for each in book.products)
    message.overrides.extend(_override_out(each) for each in book.overrides)
    return message


def publication_out(publication: Publication) -> pb.PriceBook:
    """Show a version with its times alone."""
    published_at = publication.published_at
    return pb.PriceBook(
        version=publication.version,
        effective_time=_timestamp(publication.effective_at),
        create_time=_timestamp(published_at) if published_at else None,
    )


def _asset_out(asset: Asset) -> pb.Asset:
    kind = pb.AssetKind.Value(f"ASSET_KIND_{asset.kind}")
    return pb.Asset(asset_code=asset.asset_code, kind=kind, scale=asset.scale)


def _product_out(product: Product) -> pb.Product:
    cost = product.vendor_cost
    return pb.Product(
        product_code=product.product_code,
        asset_code=product.asset_code,
        price=_price_out(product.price),
        tax_code=product.tax_code,
        vendor_cost=_cost_out(cost) if cost else None,
    )


def _cost_out(vendor_cost: VendorCost) -> pb.VendorCost:
    return pb.VendorCost(
        vendor_code=vendor_cost.vendor_code,
        asset_code=vendor_cost.asset_code,
        cost=_price_out(vendor_cost.cost),
    )


def _override_out(override: Override) -> pb.PriceOverride:
    message = pb.PriceOverride(product_code=override.product_code, price=_price_out(override.price))
    if override.wallet_id:
        message.wallet_id = override.wallet_id
    elif override.reseller_wallet_id:
        message.reseller_wallet_id = override.reseller_wallet_id
    else:
        message.wallet_type = wallet_pb2.WalletType.Value(f"WALLET_TYPE_{override.wallet_type}")
    return message


def _price_out(price: Price) -> pb.Price:
    return pb.Price(
        kind=pb.PriceKind.Value(f"PRICE_KIND_{price.kind}"),
        unit_minor=price.unit_minor,
        tiers=[pb.Tier(up_to=each.up_to, unit_minor=each.unit_minor) for each in price.tiers],
        package_quantity=price.package_quantity,
        package_minor=price.package_minor,
        minimum_fee_minor=price.minimum_fee_minor,
    )


def _timestamp(at: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(at)
    return message
