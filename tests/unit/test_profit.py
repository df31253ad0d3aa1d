"""Profit and loss as operators see it, from aggregates and the ledger's trial balances."""

from typing import Any

import pytest

from walletctl.finance.profit import (
    Dimension,
    account_sums,
    booked_between,
    differences,
    rows_by,
)


def _aggregate(**fields: Any) -> dict[str, Any]:
    return {
        "effective_date": "2026-03-10",
        "product_code": "ESIGN",
        "enterprise_wallet_id": "wal_8",
        "merchant_wallet_id": "wal_1",
        "reseller_wallet_id": "wal_9",
        "asset_code": "IDR",
        "revenue_minor": 0,
        "breakage_minor": 0,
        "cost_minor": 0,
        "margin_minor": 0,
        "tax_minor": 0,
        **fields,
    }


AGGREGATES = [
    _aggregate(revenue_minor=1_700, cost_minor=600, margin_minor=300, tax_minor=220),
    _aggregate(revenue_minor=-700, cost_minor=0),
    _aggregate(product_code="", breakage_minor=50, effective_date="2026-03-11"),
    _aggregate(cost_minor=7, asset_code="USD"),
]

BOOKS = [
    {"account_type": "REVENUE", "asset_code": "IDR", "amount_minor": -1_000},
    {"account_type": "BREAKAGE", "asset_code": "IDR", "amount_minor": -50},
    {"account_type": "VENDOR_COST", "asset_code": "IDR", "amount_minor": 600},
    {"account_type": "VENDOR_COST", "asset_code": "USD", "amount_minor": 7},
    {"account_type": "TAX_PAYABLE", "asset_code": "IDR", "amount_minor": -220},
    {"account_type": "WALLET", "asset_code": "IDR", "amount_minor": -123},
]


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        (Dimension.PRODUCT, [("", "IDR", 50), ("ESIGN", "IDR", 400), ("ESIGN", "USD", -7)]),
        (
            Dimension.DAY,
            [("2026-03-10", "IDR", 400), ("2026-03-10", "USD", -7), ("2026-03-11", "IDR", 50)],
        ),
        (Dimension.ENTERPRISE, [("wal_8", "IDR", 450), ("wal_8", "USD", -7)]),
        (Dimension.MERCHANT, [("wal_1", "IDR", 450), ("wal_1", "USD", -7)]),
        (Dimension.RESELLER, [("wal_9", "IDR", 450), ("wal_9", "USD", -7)]),
    ],
)
def test_shards_are_added_up_by_what_is_asked(
    dimension: Dimension, expected: list[tuple[str, str, int]]
) -> None:
    """Profit is revenue and breakage less cost, in each asset; margin and tax are others'."""
    rows = rows_by(dimension, AGGREGATES)
    assert [(row[dimension], row["asset_code"], row["profit_minor"]) for row in rows] == expected
    assert sum(row["margin_minor"] for row in rows) == 300
    assert sum(row["tax_minor"] for row in rows) == 220


@pytest.mark.parametrize("dimension", Dimension)
def test_rows_hold_what_the_ledger_holds(dimension: Dimension) -> None:
    """Rows of any dimension sum to the same accounts as the aggregates they are made of."""
    told = account_sums(rows_by(dimension, AGGREGATES))
    assert told == account_sums(AGGREGATES)
    assert differences(told, booked_between([], BOOKS)) == []


def test_what_was_booked_before_does_not_count() -> None:
    """Between two trial balances lies what came in between; wallets are not profit and loss."""
    booked = booked_between([{**BOOKS[0], "amount_minor": -400}], BOOKS[:1] + BOOKS[-1:])
    assert booked == {("REVENUE", "IDR"): -600}


def test_each_difference_is_told_from_both_sides() -> None:
    """What only one of them knows is zero at the other."""
    told = {("REVENUE", "IDR"): -5, ("TAX_PAYABLE", "IDR"): -1}
    booked = {("REVENUE", "IDR"): -5, ("VENDOR_COST", "USD"): 7}
    assert differences(told, booked) == [
        "TAX_PAYABLE in IDR: 0 in the ledger, -1 in the aggregates",
        "VENDOR_COST in USD: 7 in the ledger, 0 in the aggregates",
    ]
