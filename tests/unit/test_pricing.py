"""Prices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.errors import InvalidArgument
from transaction_service.app import load_price_book
from transaction_service.domain import Amount, Buyer
from transaction_service.pricing.price_book import PriceBook, charge, part
from transaction_service.settings import TransactionSettings

BOOK = PriceBook.model_validate(
    {
        "version": "test",
        "products": [
            {
                "product_code": "SIGN",
                "unit_price": {"asset_code": "IDR", "minor_units": 500},
                "unit_cost": {"asset_code": "USD", "minor_units": 7},
                "vendor_code": "CA",
            },
            {"product_code": "CALL", "unit_price": {"asset_code": "IDR", "minor_units": 3}},
        ],
    }
)

BUYER = Buyer("wal_1", "PERSONAL", ())


def test_a_charge_is_quantity_times_price_and_cost() -> None:
    """Four signatures at 500 that cost 7 each: 2,000 and 28."""
    charged = charge(BOOK, "SIGN", 4, BUYER)
    assert charged.price == Amount(asset_code="IDR", minor_units=2000)
    assert charged.cost == Amount(asset_code="USD", minor_units=28)


@pytest.mark.parametrize(
    ("product_code", "quantity", "field"),
    [("NONE", 1, "product_code"), ("SIGN", 10**15, "quantity"), ("SIGN", 2**63 - 1, "quantity")],
)
def test_what_has_no_price_names_the_field(product_code: str, quantity: int, field: str) -> None:
    """An unknown product and an overflowing quantity are the request's fault, by field."""
    with pytest.raises(InvalidArgument) as refused:
        charge(BOOK, product_code, quantity, BUYER)
    assert refused.value.violations[0].field == field


@pytest.mark.parametrize(
    "products",
    [
        [],
        [{"product_code": "A", "unit_price": {"asset_code": "IDR", "minor_units": 0}}],
        [{"product_code": "A", "unit_price": {"asset_code": "IDR", "minor_units": -5}}],
        [{"product_code": "A", "unit_price": {"asset_code": "IDR", "minor_units": 1}}] * 2,
        [{"product_code": "A", "unit_price": {"asset_code": "IDR", "minor_units": 1},
          "vendor_code": "V"}],
        [{"product_code": "A", "unit_price": {"asset_code": "IDR", "minor_units": 1.5}}],
    ],
)  # fmt: skip
def test_a_bad_price_book_is_refused(products: list[object]) -> None:
    """Empty, free, negative, doubled, half-costed and fractional prices do not load."""
    with pytest.raises(ValidationError):
        PriceBook.model_validate({"version": "bad", "products": products})


def test_the_shipped_price_book_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that the service uses by default is a valid price book."""
    monkeypatch.setenv("WALLET_TARGET", "localhost:1")
    monkeypatch.setenv("REDIS_URL", "redis://localhost:1")
    book = load_price_book(TransactionSettings().price_book_file)
    assert book.products


@given(st.lists(st.integers(1, 50), min_size=1, max_size=5))
def test_parts_of_a_charge_make_the_whole(quantities: list[int]) -> None:
    """However many units are taken at a time, price and cost add up."""
    whole = charge(BOOK, "SIGN", sum(quantities), BUYER)
    befores = [sum(quantities[:count]) for count in range(len(quantities))]
    parts = [part(whole, *each) for each in zip(befores, quantities, strict=True)]
    assert sum(each.price.minor_units for each in parts) == whole.price.minor_units
    assert sum(each.cost.minor_units for each in parts if each.cost) == 7 * whole.quantity
