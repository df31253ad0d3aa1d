"""What the demo makes of finance documents."""

from devstack.demo.documents import Document, Line
from devstack.demo.finance import (
    Profit,
    by_merchant,
    by_product,
    off_balance,
    profits_of,
    total_profits,
)

TOP_UP = Document(
    "txn_1",
    "TOP_UP",
    "wal_1",
    "",
    0,
    (Line("FUNDING", "IDR", 900), Line("DEFERRED_REVENUE", "IDR", -900)),
)
PAID_IN_MONEY = Document(
    "txn_2",
    "USAGE",
    "wal_1",
    "SIGN",
    2,
    (
        Line("DEFERRED_REVENUE", "IDR", 500),
        Line("REVENUE", "IDR", -500),
        Line("COST", "IDR", 150),
        Line("VENDOR_PAYABLE", "IDR", -150),
    ),
)
PAID_IN_UNITS = Document(
    "txn_3",
    "USAGE",
    "wal_1",
    "SIGN",
    3,
    (
        Line("DEFERRED_REVENUE", "ESIGN", 3),
        Line("REVENUE", "ESIGN", -3),
        Line("COST", "IDR", 225),
        Line("VENDOR_PAYABLE", "IDR", -225),
    ),
)


SOLD_BY_A_RESELLER = Document(
    "txn_4",
    "USAGE",
    "wal_2",
    "SIGN",
    1,
    (
        Line("DEFERRED_REVENUE", "IDR", 222),
        Line("REVENUE", "IDR", -170),
        Line("MARGIN", "IDR", -30),
        Line("TAX", "IDR", -22),
    ),
    "wal_9",
)
EXPIRED = Document(
    "txn_5",
    "BREAKAGE",
    "wal_1",
    "",
    0,
    (Line("DEFERRED_REVENUE", "IDR", 40), Line("BREAKAGE", "IDR", -40)),
)
ALL = (TOP_UP, PAID_IN_MONEY, PAID_IN_UNITS, SOLD_BY_A_RESELLER, EXPIRED)


def test_profit_and_loss_keeps_products_and_assets_apart() -> None:
    """What is earned, spent and passed on is told apart; top-ups are none of it."""
    profits = profits_of(ALL, by_product)
    assert profits == [
        Profit("SIGN", "ESIGN", revenue_minor=3),
        Profit("SIGN", "IDR", revenue_minor=670, cost_minor=375, tax_minor=22, margin_minor=30),
        Profit("no product", "IDR", breakage_minor=40),
    ]
    assert [each.result_minor for each in profits] == [3, 295, 40]


def test_profit_and_loss_by_merchant_makes_up_the_same_whole() -> None:
    """Who has no merchant has a row too; by product or by merchant, the sum is the same."""
    profits = profits_of(ALL, by_merchant)
    assert profits == [
        Profit("no merchant", "ESIGN", revenue_minor=3),
        Profit("no merchant", "IDR", revenue_minor=500, breakage_minor=40, cost_minor=375),
        Profit("wal_9", "IDR", revenue_minor=170, tax_minor=22, margin_minor=30),
    ]
    assert total_profits(profits) == total_profits(profits_of(ALL, by_product))
    assert total_profits(profits) == [
        Profit("all", "ESIGN", revenue_minor=3),
        Profit("all", "IDR", 670, breakage_minor=40, cost_minor=375, tax_minor=22, margin_minor=30),
    ]


def test_an_unbalanced_document_says_by_how_much() -> None:
    """Each asset is to sum to zero by itself."""
    assert off_balance(PAID_IN_UNITS.lines) == {}
    crossed = (Line("FUNDING", "IDR", 5), Line("DEFERRED_REVENUE", "ESIGN", -5))
    assert off_balance(crossed) == {"IDR": 5, "ESIGN": -5}
