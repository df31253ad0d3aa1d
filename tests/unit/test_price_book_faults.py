"""What makes a price book bad: each fault by its path, all of them at once."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.price_lists import FLAT_100, price_book
from transaction_service.pricing.faults import faults_of
from transaction_service.pricing.price_book import PriceBook

EXAMPLE = Path("examples/price_book.toml")


def tiers(*bounds: int) -> dict[str, Any]:
    return {"kind": "TIERED", "tiers": [{"up_to": each, "unit_minor": 5} for each in bounds]}


@pytest.mark.parametrize(
    ("price", "path"),
    [
        ({"kind": "FLAT"}, "unit_minor"),
        ({"kind": "FLAT", "unit_minor": -5}, "unit_minor"),
        ({"kind": "FLAT", "unit_minor": 10**17 + 1}, "unit_minor"),
        ({"unit_minor": 5}, "kind"),
        (FLAT_100 | {"minimum_fee_minor": -1}, "minimum_fee_minor"),
        (FLAT_100 | {"package_minor": 5}, "package_minor"),
        (tiers(), "tiers"),
        (tiers(10, 10, 0), "tiers[1].up_to"),
        (tiers(10, 5, 0), "tiers[1].up_to"),
        (tiers(-1, 0), "tiers[0].up_to"),
        (tiers(0, 10, 0), "tiers[0].up_to"),
        (tiers(10, 20), "tiers[1].up_to"),
        ({"kind": "VOLUME", "tiers": [{"unit_minor": -5}]}, "tiers[0].unit_minor"),
        ({"kind": "PACKAGE", "package_quantity": 0, "package_minor": 5}, "package_quantity"),
        ({"kind": "PACKAGE", "package_quantity": 5}, "package_minor"),
    ],
)
def test_a_bad_price_is_named(price: dict[str, Any], path: str) -> None:
    """Missing and negative figures, overlapping, unordered and half-open tiers."""
    faults = faults_of(price_book(price))
    assert [each.field for each in faults] == [f"products[0].price.{path}"]


PRODUCT = {"product_code": "SIGN", "asset_code": "IDR", "price": FLAT_100}
OVERRIDE = {"product_code": "SIGN", "price": FLAT_100, "wallet_id": "wal_1"}
COST = {"vendor_code": "CA", "asset_code": "IDR", "cost": FLAT_100}
IDR = {"asset_code": "IDR", "kind": "CURRENCY", "scale": 2}
VAT = {"tax_code": "VAT", "rate_basis_points": 1100}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"version": ""}, "version"),
        ({"version": "new\nline"}, "version"),
        ({"assets": [IDR, IDR]}, "assets[1].asset_code"),
        ({"assets": [{"asset_code": "IDR", "kind": "CURRENCY"}]}, "assets[0].scale"),
        ({"assets": [IDR | {"scale": 9}]}, "assets[0].scale"),
        ({"assets": [{"asset_code": "IDR", "scale": 2}]}, "assets[0].kind"),
        ({"assets": [IDR, IDR | {"asset_code": "Rp"}]}, "assets[1].asset_code"),
        ({"assets": [IDR, IDR | {"asset_code": "ESIGN"}]}, "assets[1].asset_code"),
        ({"taxes": [VAT, VAT]}, "taxes[1].tax_code"),
        ({"taxes": [VAT | {"rate_basis_points": -1}]}, "taxes[0].rate_basis_points"),
        ({"taxes": [VAT | {"rate_basis_points": 10_001}]}, "taxes[0].rate_basis_points"),
        ({"products": []}, "products"),
        ({"products": [PRODUCT, PRODUCT]}, "products[1].product_code"),
        ({"products": [PRODUCT | {"asset_code": "USD"}]}, "products[0].asset_code"),
        ({"products": [PRODUCT | {"tax_code": "GST"}]}, "products[0].tax_code"),
        (
            {"products": [PRODUCT | {"vendor_cost": COST | {"vendor_code": ""}}]},
            "products[0].vendor_cost.vendor_code",
        ),
        (
            {"products": [PRODUCT | {"vendor_cost": COST | {"asset_code": "USD"}}]},
            "products[0].vendor_cost.asset_code",
        ),
        (
            {"products": [PRODUCT | {"vendor_cost": COST | {"cost": {"kind": "FLAT"}}}]},
            "products[0].vendor_cost.cost.unit_minor",
        ),
        (
            {"products": [PRODUCT | {"vendor_cost": COST | {"cost": {
                "kind": "PACKAGE", "package_quantity": 1, "package_minor": 1}}}]},
            "products[0].vendor_cost.cost.kind",
        ),
        ({"overrides": [OVERRIDE | {"product_code": "NONE"}]}, "overrides[0].product_code"),
        ({"overrides": [OVERRIDE | {"wallet_type": "PERSONAL"}]}, "overrides[0]"),
        ({"overrides": [OVERRIDE | {"wallet_id": ""}]}, "overrides[0]"),
        ({"overrides": [OVERRIDE, OVERRIDE]}, "overrides[1]"),
        ({"overrides": [OVERRIDE | {"price": {"kind": "FLAT"}}]}, "overrides[0].price.unit_minor"),
    ],
)  # fmt: skip
def test_a_bad_book_is_named(changes: dict[str, Any], path: str) -> None:
    """Unknown, doubled and missing codes; currencies without scale; rates out of range."""
    book = price_book().model_dump() | changes
    if "taxes" in changes:
        book |= {"products": [PRODUCT | {"tax_code": "VAT"}]}
    faults = faults_of(PriceBook.model_validate(book))
    assert [each.field for each in faults] == [path]


def test_all_faults_are_told_at_once() -> None:
    """Overlapping tiers, an unknown product and asset, a negative price and a missing scale."""
    book = price_book(
        assets=[{"asset_code": "IDR", "kind": "CURRENCY"}],
        products=[
            PRODUCT | {"price": tiers(10, 5, 0)},
            {"product_code": "SEAL", "asset_code": "USD", "price": {"kind": "FLAT"}},
        ],
        overrides=[OVERRIDE | {"product_code": "NONE"}],
    )
    assert [each.field for each in faults_of(book)] == [
        "assets[0].scale",
        "products[0].price.tiers[1].up_to",
        "products[1].asset_code",
        "products[1].price.unit_minor",
        "overrides[0].product_code",
    ]


def test_the_example_is_good() -> None:
    """`examples/price_book.toml` has no faults."""
    assert faults_of(PriceBook.model_validate(tomllib.loads(EXAMPLE.read_text()))) == []


def test_the_file_in_the_docs_is_good() -> None:
    """What docs/prices.md shows of every kind of price, tax and override has no faults."""
    text = Path("docs/prices.md").read_text().partition("```toml\n")[2].partition("```")[0]
    book = tomllib.loads(text)
    assert isinstance(book.pop("effective_time"), datetime)
    assert faults_of(PriceBook.model_validate(book)) == []
