"""All that is wrong with a price book, each fault with its path: `products[2].price.unit_minor`."""

import re
from collections.abc import Iterable, Iterator, Sequence

from shared.errors import FieldViolation
from transaction_service.domain import MAX_AMOUNT_MINOR
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

MAX_ASSETS = 100
MAX_TAXES = 100
MAX_PRODUCTS = 1_000
MAX_OVERRIDES = 10_000
MAX_TIERS = 100
MAX_TEXT = 64
MAX_SCALE = 8
MAX_RATE_BASIS_POINTS = 10_000

_ASSET_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,15}")
_CURRENCY_CODE = re.compile(r"[A-Z]{3}")
_FIELDS_OF_KIND = {
    "FLAT": {"unit_minor"},
    "TIERED": {"tiers"},
    "VOLUME": {"tiers"},
    "PACKAGE": {"package_quantity", "package_minor"},
}
_FIELDS_OF_SOME_KIND = ("unit_minor", "tiers", "package_quantity", "package_minor")
_COST_KINDS = ("FLAT", "TIERED")

Faults = Iterator[FieldViolation]


def faults_of(book: PriceBook) -> list[FieldViolation]:
    """List every fault of a book, in the order of its fields; none if it is good."""
    return [
        *_text_faults(book.version, "version"),
        *_asset_faults(book.assets),
        *_tax_faults(book.taxes),
        *_product_list_faults(book),
        *_override_list_faults(book),
    ]


def _asset_faults(assets: Sequence[Asset]) -> Faults:
    yield from _length_faults(assets, "assets", 1, MAX_ASSETS)
    yield from _twice((each.asset_code for each in assets), "assets", "asset_code")
    for i, asset in enumerate(assets):
        form = _CURRENCY_CODE if asset.kind == "CURRENCY" else _ASSET_CODE
        if not form.fullmatch(asset.asset_code):
            words = "is no code such as IDR, or ESIGN for a quota unit"
            yield FieldViolation(f"assets[{i}].asset_code", words)
        if asset.kind is None:
            yield FieldViolation(f"assets[{i}].kind", "must be CURRENCY or QUOTA")
        if asset.kind == "CURRENCY" and asset.scale is None:
            yield FieldViolation(f"assets[{i}].scale", "is required of a currency")
        yield from _range_faults(asset.scale or 0, f"assets[{i}].scale", 0, MAX_SCALE)


def _tax_faults(taxes: Sequence[Tax]) -> Faults:
    yield from _length_faults(taxes, "taxes", 0, MAX_TAXES)
    yield from _twice((each.tax_code for each in taxes), "taxes", "tax_code")
    for i, tax in enumerate(taxes):
        yield from _text_faults(tax.tax_code, f"taxes[{i}].tax_code")
        rate = tax.rate_basis_points
        yield from _range_faults(rate, f"taxes[{i}].rate_basis_points", 1, MAX_RATE_BASIS_POINTS)


def _product_list_faults(book: PriceBook) -> Faults:
    assets = {each.asset_code for each in book.assets}
    taxes = {each.tax_code for each in book.taxes}
    yield from _length_faults(book.products, "products", 1, MAX_PRODUCTS)
    yield from _twice((each.product_code for each in book.products), "products", "product_code")
    for i, product in enumerate(book.products):
        yield from _product_faults(product, f"products[{i}]", assets, taxes)


def _product_faults(product: Product, path: str, assets: set[str], taxes: set[str]) -> Faults:
    yield from _text_faults(product.product_code, f"{path}.product_code")
    yield from _known_asset_faults(product.asset_code, f"{path}.asset_code", assets)
    yield from _price_faults(product.price, f"{path}.price")
    if product.tax_code and product.tax_code not in taxes:
        yield FieldViolation(f"{path}.tax_code", "is not among the taxes")
    if product.vendor_cost is not None:
        yield from _cost_faults(product.vendor_cost, f"{path}.vendor_cost", assets)


def _cost_faults(vendor_cost: VendorCost, path: str, assets: set[str]) -> Faults:
    yield from _text_faults(vendor_cost.vendor_code, f"{path}.vendor_code")
    yield from _known_asset_faults(vendor_cost.asset_code, f"{path}.asset_code", assets)
    yield from _price_faults(vendor_cost.cost, f"{path}.cost")
    if vendor_cost.cost.kind not in (*_COST_KINDS, None):
        yield FieldViolation(f"{path}.cost.kind", "must be FLAT or TIERED, as a cost")
    if vendor_cost.cost.minimum_fee_minor:
        yield FieldViolation(f"{path}.cost.minimum_fee_minor", "is not for costs")


def _override_list_faults(book: PriceBook) -> Faults:
    products = {each.product_code for each in book.products}
    keys = [_override_key(each) for each in book.overrides]
    yield from _length_faults(book.overrides, "overrides", 0, MAX_OVERRIDES)
    first = {key: i for i, key in reversed(list(enumerate(keys)))}
    for i, override in enumerate(book.overrides):
        path = f"overrides[{i}]"
        if first[keys[i]] != i:
            yield FieldViolation(path, f"is for the same as overrides[{first[keys[i]]}]")
        yield from _override_faults(override, path, products)


def _override_key(override: Override) -> tuple[str | None, ...]:
    return (
        override.product_code,
        override.wallet_id,
        override.reseller_wallet_id,
        override.wallet_type,
    )


def _override_faults(override: Override, path: str, products: set[str]) -> Faults:
    named = (override.wallet_id, override.reseller_wallet_id, override.wallet_type)
    if sum(map(bool, named)) != 1:
        yield FieldViolation(path, "must name one of wallet_id, reseller_wallet_id, wallet_type")
    for field in ("wallet_id", "reseller_wallet_id"):
        yield from _text_faults(getattr(override, field), f"{path}.{field}", min_length=0)
    if override.product_code not in products:
        yield FieldViolation(f"{path}.product_code", "is not among the products")
    yield from _price_faults(override.price, f"{path}.price")


def _price_faults(price: Price, path: str) -> Faults:
    if price.kind is None:
        yield FieldViolation(f"{path}.kind", "must be FLAT, TIERED, VOLUME or PACKAGE")
    else:
        yield from _fields_of_kind_faults(price, price.kind, path)
    minimum_minor = price.minimum_fee_minor
    yield from _range_faults(minimum_minor, f"{path}.minimum_fee_minor", 0, MAX_AMOUNT_MINOR)


def _fields_of_kind_faults(price: Price, kind: str, path: str) -> Faults:
    for field in _FIELDS_OF_SOME_KIND:
        if field not in _FIELDS_OF_KIND[kind]:
            if getattr(price, field):
                yield FieldViolation(f"{path}.{field}", f"is not for a price of kind {kind}")
        elif field == "tiers":
            yield from _tier_faults(price.tiers, f"{path}.tiers")
        else:
            yield from _range_faults(getattr(price, field), f"{path}.{field}", 1, MAX_AMOUNT_MINOR)


def _tier_faults(tiers: Sequence[Tier], path: str) -> Faults:
    yield from _length_faults(tiers, path, 1, MAX_TIERS)
    below = 0
    for i, tier in enumerate(tiers):
        if i == len(tiers) - 1:
            if tier.up_to:
                yield FieldViolation(f"{path}[{i}].up_to", "must be unset: the last tier is open")
        elif not tier.up_to:
            yield FieldViolation(f"{path}[{i}].up_to", "is required: only the last tier is open")
        elif tier.up_to <= below:
            words = f"must be above {below}, where the tier before it ends"
            yield FieldViolation(f"{path}[{i}].up_to", words)
        below = max(below, tier.up_to)
        yield from _range_faults(tier.unit_minor, f"{path}[{i}].unit_minor", 1, MAX_AMOUNT_MINOR)


def _known_asset_faults(asset_code: str, path: str, assets: set[str]) -> Faults:
    if asset_code not in assets:
        yield FieldViolation(path, "is not among the assets")


def _text_faults(text: str, path: str, min_length: int = 1) -> Faults:
    if not min_length <= len(text) <= MAX_TEXT:
        yield FieldViolation(path, f"must be {min_length} to {MAX_TEXT} characters")
    elif not text.isprintable():
        yield FieldViolation(path, "must not hold control characters")


def _range_faults(number: int, path: str, least: int, most: int) -> Faults:
    if not least <= number <= most:
        yield FieldViolation(path, f"must be {least} to {most}")


def _length_faults(things: Sequence[object], path: str, least: int, most: int) -> Faults:
    if not least <= len(things) <= most:
        yield FieldViolation(path, f"must be {least} to {most}")


def _twice(codes: Iterable[str], path: str, field: str) -> Faults:
    seen: set[str] = set()
    for i, code in enumerate(codes):
        if code in seen:
            yield FieldViolation(f"{path}[{i}].{field}", "is there already")
        seen.add(code)
