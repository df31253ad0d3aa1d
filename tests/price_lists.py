"""Price books for tests, as short as the tests need them."""

from typing import Any

from transaction_service.pricing.price_book import PriceBook
from transaction_service.pricing.prices import Prices, prepare

FLAT_100 = {"kind": "FLAT", "unit_minor": 100}
VAT_ON_TOP = {"tax_code": "VAT", "rate_basis_points": 1100}
VAT_WITHIN = {**VAT_ON_TOP, "inclusive": True}


def price_book(price: Any = None, **changes: Any) -> PriceBook:
    """Make a book that sells `SIGN` at `price` in IDR; `changes` replace its fields."""
    product = {"product_code": "SIGN", "asset_code": "IDR", "price": price or FLAT_100}
    if taxes := changes.get("taxes"):
        product["tax_code"] = taxes[0]["tax_code"]
    content = {
        "version": "2026-11",
        "assets": [{"asset_code": "IDR", "kind": "CURRENCY", "scale": 2}],
        "products": [product],
    }
    return PriceBook.model_validate(content | changes)


def prices(price: Any = None, **changes: Any) -> Prices:
    return prepare(price_book(price, **changes))
