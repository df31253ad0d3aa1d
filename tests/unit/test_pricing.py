"""Prices, and what each action is in the books."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.errors import InvalidArgument
from transaction_service import planning
from transaction_service.app import load_price_book
from transaction_service.domain import Amount, Booking, Leg, Original, Plan
from transaction_service.pricing.price_book import PriceBook, charge_for
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


def test_a_charge_is_quantity_times_price_and_cost() -> None:
    """Four signatures at 500 that cost 7 each: 2,000 and 28."""
    charge = charge_for(BOOK, "SIGN", 4)
    assert charge.price == Amount(asset_code="IDR", minor_units=2000)
    assert charge.cost == Amount(asset_code="USD", minor_units=28)


@pytest.mark.parametrize(
    ("product_code", "quantity", "field"),
    [("NONE", 1, "product_code"), ("SIGN", 10**15, "quantity"), ("SIGN", 2**63 - 1, "quantity")],
)
def test_what_has_no_price_names_the_field(product_code: str, quantity: int, field: str) -> None:
    """An unknown product and an overflowing quantity are the request's fault, by field."""
    with pytest.raises(InvalidArgument) as refused:
        charge_for(BOOK, product_code, quantity)
    assert refused.value.violations[0].field == field


def _sums(plan: Plan) -> dict[str, int]:
    sums: dict[str, int] = {}
    for leg in plan.legs:
        sums[leg.asset_code] = sums.get(leg.asset_code, 0) + leg.amount_minor
    return sums


@given(st.sampled_from(["SIGN", "CALL"]), st.integers(1, 10**6), st.integers(1, 10**6))
def test_every_plan_is_balanced(product_code: str, booked: int, committed: int) -> None:
    """Usage and commit sum to zero in every asset, whatever the quantities."""
    charge = charge_for(BOOK, product_code, booked)
    booking = Booking("bkg_1", "wal_1", charge, "test")
    for plan in (
        planning.plan_usage("wal_1", charge, "test"),
        planning.plan_commit(booking, committed),
    ):
        assert set(_sums(plan).values()) == {0}


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


@given(st.lists(st.integers(1, 50), min_size=1, max_size=5), st.integers(1, 99), st.data())
def test_parts_of_a_void_are_balanced_and_make_the_whole(
    shares: list[int], cost: int, data: st.DataObject
) -> None:
    """However a usage with many legs is taken back in parts, no minor unit is left over."""
    total = sum(shares)
    legs = [
        Leg("WALLET", "wal_1", "IDR", total),
        *(Leg("REVENUE", f"share {i}", "IDR", -each) for i, each in enumerate(shares)),
        Leg("VENDOR_COST", "", "USD", cost),
        Leg("VENDOR_PAYABLE", "", "USD", -cost),
    ]
    left = {(leg.account_type, leg.wallet_id): leg.amount_minor for leg in legs}
    original = Original("txn_1", "wal_1", tuple(legs), "IDR", total, 0, "", "", "")
    while original.voided_minor < total:
        minor = data.draw(st.integers(1, total - original.voided_minor))
        plan = planning.plan_void(original, Amount(asset_code="IDR", minor_units=minor))
        assert set(_sums(plan).values()) == {0}
        assert plan.legs[0].amount_minor == -minor
        for leg in plan.legs:
            left[leg.account_type, leg.wallet_id] += leg.amount_minor
        original = replace(original, voided_minor=original.voided_minor + minor)
    assert set(left.values()) == {0}
