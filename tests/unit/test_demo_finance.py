"""What the demo makes of finance documents."""

from devstack.demo.documents import Document, Line
from devstack.demo.finance import Profit, document_sums, off_balance, profits_of, total_profits

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


def test_profit_and_loss_keeps_products_and_assets_apart() -> None:
    """Revenue is what lines of revenue credit, cost what lines of cost debit; top-ups are none."""
    profits = profits_of([TOP_UP, PAID_IN_MONEY, PAID_IN_UNITS])
    assert profits == [Profit("SIGN", "ESIGN", 3, 0), Profit("SIGN", "IDR", 500, 375)]
    assert [each.margin_minor for each in profits] == [3, 125]
    assert total_profits([*profits, Profit("CALL", "IDR", 7, 0)]) == [
        Profit("all products", "ESIGN", 3, 0),
        Profit("all products", "IDR", 507, 375),
    ]


def test_documents_sum_to_a_trial_balance() -> None:
    """Lines come under the ledger's account types; what sums to zero is left out."""
    returned = Document("txn_4", "TOP_UP", "wal_1", "", 0, (Line("FUNDING", "IDR", -900),))
    assert document_sums([TOP_UP, PAID_IN_MONEY, returned]) == {
        ("WALLET", "IDR"): -400,
        ("REVENUE", "IDR"): -500,
        ("VENDOR_COST", "IDR"): 150,
        ("VENDOR_PAYABLE", "IDR"): -150,
    }


def test_an_unbalanced_document_says_by_how_much() -> None:
    """Each asset is to sum to zero by itself."""
    assert off_balance(PAID_IN_UNITS.lines) == {}
    crossed = (Line("FUNDING", "IDR", 5), Line("DEFERRED_REVENUE", "ESIGN", -5))
    assert off_balance(crossed) == {"IDR": 5, "ESIGN": -5}
