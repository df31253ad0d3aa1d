"""What usages are charged: the worked examples of docs/prices.md, computed by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import FailedPrecondition, InvalidArgument
from tests.price_lists import FLAT_100, VAT_ON_TOP, VAT_WITHIN, price_book, prices
from transaction_service.domain import Amount, Buyer, Charge, Margin
from transaction_service.pricing.charging import charge
from transaction_service.pricing.faults import faults_of
from transaction_service.pricing.parts import part
from transaction_service.pricing.prices import prepare

BUYER = Buyer("wal_1", "PERSONAL", ())

TIERS = [
    {"up_to": 10, "unit_minor": 100},
    {"up_to": 50, "unit_minor": 80},
    {"unit_minor": 50},
]
TIERED = {"kind": "TIERED", "tiers": TIERS}
VOLUME = {"kind": "VOLUME", "tiers": TIERS}
PACKAGE = {"kind": "PACKAGE", "package_quantity": 100, "package_minor": 9_000}


def idr(minor_units: int) -> Amount:
    return Amount(asset_code="IDR", minor_units=minor_units)


@pytest.mark.parametrize(
    ("price", "quantity", "total_minor", "unit_minor"),
    [
        (FLAT_100, 1, 100, 100),
        (FLAT_100, 7, 700, 100),
        (TIERED, 10, 1_000, None),  # 10 at 100
        (TIERED, 11, 1_080, None),  # 10 at 100, 1 at 80
        (TIERED, 60, 4_700, None),  # 10 at 100, 40 at 80, 10 at 50
        (VOLUME, 10, 1_000, 100),
        (VOLUME, 11, 880, 80),  # all 11 at 80: less than 10 cost
        (VOLUME, 60, 3_000, 50),
        (PACKAGE, 1, 9_000, None),  # a begun package counts whole
        (PACKAGE, 100, 9_000, None),
        (PACKAGE, 101, 18_000, None),
        (FLAT_100 | {"minimum_fee_minor": 250}, 2, 250, None),
        (FLAT_100 | {"minimum_fee_minor": 250}, 3, 300, 100),
        (TIERED | {"minimum_fee_minor": 1_080}, 1, 1_080, None),
        (VOLUME | {"minimum_fee_minor": 900}, 11, 900, None),
        (PACKAGE | {"minimum_fee_minor": 10_000}, 1, 10_000, None),
    ],
)
def test_each_kind_of_price(
    price: dict[str, Any], quantity: int, total_minor: int, unit_minor: int | None
) -> None:
    """Flat, tiered, volume and package prices, with and without a minimum fee."""
    charged = charge(prices(price), "SIGN", quantity, BUYER)
    assert charged.price == charged.revenue == idr(total_minor)
    assert charged.unit_price == (idr(unit_minor) if unit_minor else None)
    assert (charged.tax, charged.tax_code, charged.margins) == (None, "", ())


@pytest.mark.parametrize(
    ("tax", "unit_minor", "quantity", "price_minor", "tax_minor"),
    [
        (VAT_ON_TOP, 100, 1, 111, 11),
        (VAT_ON_TOP, 50, 1, 56, 6),  # 5.5 is rounded up
        (VAT_ON_TOP, 49, 1, 54, 5),  # 5.39
        (VAT_ON_TOP, 4, 1, 4, None),  # 0.44: no tax at all
        (VAT_ON_TOP, 4, 3, 13, 1),  # 1.32 on the total; each unit by itself would bear none
        (VAT_WITHIN, 111, 1, 111, 11),
        (VAT_WITHIN, 100, 1, 100, 10),  # 90.09 without it
        (VAT_WITHIN, 100, 3, 300, 30),  # 270.27 without it
        (VAT_WITHIN, 5, 1, 5, None),  # 4.505 without it: no tax at all
        (VAT_WITHIN | {"rate_basis_points": 10_000}, 1, 1, 1, None),  # 0.5 is rounded up
    ],
)
def test_tax_is_computed_once_on_the_total(
    tax: dict[str, Any], unit_minor: int, quantity: int, price_minor: int, tax_minor: int | None
) -> None:
    """11 % on top or within, rounded half up; what is left is revenue."""
    price = {"kind": "FLAT", "unit_minor": unit_minor}
    charged = charge(prices(price, taxes=[tax]), "SIGN", quantity, BUYER)
    assert charged.price == idr(price_minor)
    assert charged.tax == (idr(tax_minor) if tax_minor else None)
    assert charged.tax_code == ("VAT" if tax_minor else "")
    assert charged.revenue == idr(price_minor - (tax_minor or 0))


COSTLY = {
    "product_code": "SIGN",
    "asset_code": "IDR",
    "price": FLAT_100,
    "vendor_cost": {"vendor_code": "CA", "asset_code": "USD", "cost": {}},
}


@pytest.mark.parametrize(
    ("cost", "cost_minor", "unit_minor"),
    [({"kind": "FLAT", "unit_minor": 7}, 420, 7), (TIERED, 4_700, None)],
)
def test_costs_are_flat_or_tiered(
    cost: dict[str, Any], cost_minor: int, unit_minor: int | None
) -> None:
    """What 60 units cost the house, in an asset of its own."""
    product = {**COSTLY, "vendor_cost": {"vendor_code": "CA", "asset_code": "USD", "cost": cost}}
    charged = charge(prices(products=[product]), "SIGN", 60, BUYER)
    assert charged.cost == Amount(asset_code="USD", minor_units=cost_minor)
    assert charged.vendor_code == "CA"
    assert (charged.unit_cost and charged.unit_cost.minor_units) == unit_minor


def override(unit_minor: int, **buyer: str) -> dict[str, Any]:
    price = {"kind": "FLAT", "unit_minor": unit_minor}
    return {"product_code": "SIGN", "price": price, **buyer}


OVERRIDES = [
    override(60, wallet_type="RESELLER"),
    override(95, wallet_type="ENTERPRISE"),
    override(90, reseller_wallet_id="wal_r1"),
    override(70, reseller_wallet_id="wal_r2"),
    override(85, wallet_id="wal_vip"),
]


@pytest.mark.parametrize(
    ("buyer", "price_minor"),
    [
        (BUYER, 100),
        (Buyer("wal_1", "ENTERPRISE", ()), 95),
        (Buyer("wal_1", "ENTERPRISE", ("wal_r1",)), 90),
        (Buyer("wal_1", "ENTERPRISE", ("wal_r1", "wal_r2")), 90),
        (Buyer("wal_1", "ENTERPRISE", ("wal_r3",)), 95),
        (Buyer("wal_vip", "ENTERPRISE", ("wal_r1",)), 85),
    ],
)
def test_the_nearest_override_wins(buyer: Buyer, price_minor: int) -> None:
    """The wallet's own, then its nearest reseller's, then its type's, then everybody's."""
    assert charge(prices(overrides=OVERRIDES), "SIGN", 1, buyer).price == idr(price_minor)


@pytest.mark.parametrize(
    ("taxes", "price_minor", "tax_minor", "margins", "revenue_minor"),
    [
        # 10 units: the buyer pays 900, r1 pays r2 700, r2 pays the house 600.
        ([], 900, 0, (200, 100), 600),
        ([VAT_ON_TOP], 999, 99, (200, 100), 600),
        # 811, 631 and 541 without tax (810.81, 630.63, 540.54).
        ([VAT_WITHIN], 900, 89, (180, 90), 541),
    ],
)
def test_each_reseller_keeps_what_it_does_not_pay_on(
    taxes: list[Any], price_minor: int, tax_minor: int, margins: tuple[int, ...], revenue_minor: int
) -> None:
    """Through two resellers: the margins of both, and the house's revenue, without tax."""
    buyer = Buyer("wal_1", "PERSONAL", ("wal_r1", "wal_r2"))
    charged = charge(prices(overrides=OVERRIDES, taxes=taxes), "SIGN", 10, buyer)
    assert charged.price == idr(price_minor)
    assert charged.tax == (idr(tax_minor) if tax_minor else None)
    assert charged.margins == tuple(map(Margin, ("wal_r1", "wal_r2"), margins))
    assert charged.revenue == idr(revenue_minor)


def test_a_reseller_without_a_margin_is_left_out() -> None:
    """Who sells at what it pays earns nothing, and is no leg."""
    charged = charge(prices(), "SIGN", 1, Buyer("wal_1", "PERSONAL", ("wal_r1",)))
    assert (charged.margins, charged.revenue) == ((), idr(100))


def test_no_reseller_sells_below_what_it_pays() -> None:
    """The refusal names the reseller, and both figures."""
    book = prices(overrides=[override(40, reseller_wallet_id="wal_r1"), OVERRIDES[0]])
    with pytest.raises(FailedPrecondition) as refused:
        charge(book, "SIGN", 2, Buyer("wal_1", "PERSONAL", ("wal_r1",)))
    assert refused.value.reason == "PRICE_BELOW_WHOLESALE"
    assert refused.value.metadata == {
        "wallet_id": "wal_r1",
        "price_minor": "80",
        "wholesale_minor": "120",
    }


@pytest.mark.parametrize(
    ("product_code", "quantity", "field"),
    [("NONE", 1, "product_code"), ("SIGN", 10**16, "quantity"), ("SIGN", 2**63 - 1, "quantity")],
)
def test_what_has_no_price_names_the_field(product_code: str, quantity: int, field: str) -> None:
    """An unknown product and an overflowing quantity are the request's fault, by field."""
    with pytest.raises(InvalidArgument) as refused:
        charge(prices(taxes=[VAT_ON_TOP]), product_code, quantity, BUYER)
    assert refused.value.violations[0].field == field


MINOR = st.integers(1, 10**6)


@st.composite
def price_of_some_kind(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["FLAT", "TIERED", "VOLUME", "PACKAGE"]))
    minimum = {"kind": kind, "minimum_fee_minor": draw(st.integers(0, 1000))}
    if kind == "FLAT":
        return minimum | {"unit_minor": draw(MINOR)}
    if kind == "PACKAGE":
        return minimum | {
            "package_quantity": draw(st.integers(1, 100)),
            "package_minor": draw(MINOR),
        }
    bounds = sorted(draw(st.sets(st.integers(1, 1000), max_size=4)))
    return minimum | {
        "tiers": [{"up_to": each, "unit_minor": draw(MINOR)} for each in [*bounds, 0]]
    }


@st.composite
def charges(draw: st.DrawFn) -> Charge:
    """Charges through up to two resellers, none of whom sells below what it buys at."""
    tax = {
        "tax_code": "VAT",
        "rate_basis_points": draw(st.integers(1, 10_000)),
        "inclusive": draw(st.booleans()),
    }
    taxes = draw(st.sampled_from([[], [tax]]))
    wholesale, middle, retail = sorted(draw(st.tuples(MINOR, MINOR, MINOR)))
    overrides = [
        override(wholesale, wallet_type="RESELLER"),
        override(middle, reseller_wallet_id="wal_r2"),
        override(retail, reseller_wallet_id="wal_r1"),
    ]
    product = {
        "product_code": "SIGN",
        "asset_code": "IDR",
        "price": draw(price_of_some_kind()),
        "tax_code": "VAT" if taxes else "",
        "vendor_cost": {
            "vendor_code": "CA",
            "asset_code": "IDR",
            "cost": {"kind": "FLAT", "unit_minor": draw(MINOR)},
        },
    }
    book = price_book(taxes=taxes, products=[product], overrides=overrides)
    assert faults_of(book) == []
    resellers = draw(st.sampled_from([(), ("wal_r1",), ("wal_r2",), ("wal_r1", "wal_r2")]))
    buyer = Buyer("wal_1", "PERSONAL", resellers)
    return charge(prepare(book), "SIGN", draw(st.integers(1, 1000)), buyer)


def shares_minor(charged: Charge) -> int:
    tax_minor = charged.tax.minor_units if charged.tax else 0
    margins_minor = sum(each.minor_units for each in charged.margins)
    return tax_minor + margins_minor + charged.revenue.minor_units


@given(charges())
def test_tax_margins_and_revenue_are_the_price(charged: Charge) -> None:
    """Whatever the kind, the tax and the resellers: no minor unit is lost or made."""
    assert shares_minor(charged) == charged.price.minor_units
    assert all(each.minor_units > 0 for each in charged.margins)
    assert charged.revenue.minor_units > 0


@given(charges(), st.data())
def test_parts_of_a_charge_add_up_and_make_the_whole(charged: Charge, data: st.DataObject) -> None:
    """However a booking is committed in parts, each adds up, none is negative, and all are it."""
    parts, before = [], 0
    while before < charged.quantity:
        quantity = data.draw(st.integers(1, charged.quantity - before))
        try:
            parts.append(part(charged, before, quantity))
        except InvalidArgument:
            quantity = charged.quantity - before  # All that is left is never too little.
            parts.append(part(charged, before, quantity))
        before += quantity
    for each in parts:
        assert shares_minor(each) == each.price.minor_units > 0
        assert each.revenue.minor_units >= 0
        assert all(margin.minor_units > 0 for margin in each.margins)
    assert sum(each.price.minor_units for each in parts) == charged.price.minor_units
    assert sum(each.revenue.minor_units for each in parts) == charged.revenue.minor_units
    assert charged.cost is not None
    assert sum(each.cost.minor_units for each in parts if each.cost) == charged.cost.minor_units
    for margin in charged.margins:
        assert margin.minor_units == sum(
            own.minor_units
            for each in parts
            for own in each.margins
            if own.wallet_id == margin.wallet_id
        )


def test_a_third_of_a_charge_by_hand() -> None:
    """Of 100 and 11 tax for 3 units: 33 and 3, then 33 and 4, then 34 and 4."""
    charged = charge(
        prices(
            {"kind": "PACKAGE", "package_quantity": 3, "package_minor": 100}, taxes=[VAT_ON_TOP]
        ),
        "SIGN",
        3,
        BUYER,
    )
    parts = [part(charged, before, 1) for before in range(3)]
    assert [each.revenue.minor_units for each in parts] == [33, 33, 34]
    assert [each.tax and each.tax.minor_units for each in parts] == [3, 4, 4]
    assert [each.price.minor_units for each in parts] == [36, 37, 38]


def test_a_part_below_a_minor_unit_is_refused() -> None:
    """One of ten units that cost one minor unit together cannot be paid by itself."""
    price = {"kind": "PACKAGE", "package_quantity": 10, "package_minor": 1}
    charged = charge(prices(price), "SIGN", 10, BUYER)
    with pytest.raises(InvalidArgument) as refused:
        part(charged, 0, 1)
    assert refused.value.violations[0].field == "quantity"
    assert part(charged, 9, 1).price == idr(1)
