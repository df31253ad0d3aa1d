"""Profit and loss by command, on a whole stack."""

import os
from collections import Counter
from typing import Any

import pytest

from devstack.stack import Stack
from tests.acceptance.clients import PRICE_MINOR
from tests.acceptance.operators import Walletctl
from tests.event_servers import until

DIMENSIONS = ("product", "enterprise", "merchant", "reseller", "day")


@pytest.fixture
def walletctl(stack: Stack) -> Walletctl:
    return Walletctl({**os.environ, **stack.environment})


def shown(walletctl: Walletctl, dimension: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = walletctl.json("pnl", "show", "--by", dimension)
    return rows


def total(rows: list[dict[str, Any]], name: str) -> int:
    return sum(int(row[name]) for row in rows if row["asset_code"] == "IDR")


async def test_profit_and_loss_is_the_ledgers(walletctl: Walletctl) -> None:
    """By whatever it is shown, it sums to the ledger's revenue, breakage and vendor cost."""
    wallet = walletctl.wallet(3 * PRICE_MINOR)
    walletctl.json("actions", "usage", wallet, "--product", "API_CALL", "--quantity", "2")

    async def agrees() -> bool:
        return walletctl.run("pnl", "show").returncode == 0

    await until(agrees, "all events are written")
    books: Counter[str] = Counter()
    for line in walletctl.json("ledger", "trial-balance"):
        if line["asset_code"] == "IDR":
            books[line["account_type"]] += line["amount_minor"]
    for dimension in DIMENSIONS:
        rows = shown(walletctl, dimension)
        assert total(rows, "revenue_minor") == -books["REVENUE"]
        assert total(rows, "breakage_minor") == -books["BREAKAGE"]
        assert total(rows, "cost_minor") == books["VENDOR_COST"]
    (calls,) = (row for row in shown(walletctl, "product") if row["product"] == "API_CALL")
    assert calls["revenue_minor"] >= 2 * PRICE_MINOR


def test_documents_that_differ_from_the_ledger_are_told(walletctl: Walletctl) -> None:
    """Where the documents are not all there it says by how much, with exit code 1."""
    wallet = walletctl.wallet(PRICE_MINOR)
    walletctl.json("actions", "usage", wallet, "--product", "API_CALL")
    elsewhere = Walletctl({**walletctl.environment, "FIRESTORE_COLLECTION": "nothing_here"})
    done = elsewhere.run("pnl", "show")
    assert done.returncode == 1
    assert "REVENUE in IDR: -" in done.stderr
    assert "0 in the documents" in done.stderr
