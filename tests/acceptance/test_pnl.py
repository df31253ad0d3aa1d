"""Profit and loss by command, on a whole stack."""

import os
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from privy.transaction.v1 import transaction_pb2

from devstack.stack import Stack
from tests.acceptance.clients import PRICE_MINOR, TIMEOUT_S, Caller, caller, new_id
from tests.acceptance.operators import Walletctl
from tests.event_servers import until

DIMENSIONS = ("product", "enterprise", "merchant", "reseller", "day")


@pytest.fixture
def walletctl(stack: Stack) -> Walletctl:
    return Walletctl({**os.environ, **stack.environment})


@pytest.fixture
async def client(stack: Stack) -> AsyncIterator[Caller]:
    async with caller(stack.environment) as connected:
        yield connected


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


async def test_a_range_of_days_is_checked_for_itself(walletctl: Walletctl, client: Caller) -> None:
    """What counted in February is in February's figures, whenever it was written."""
    wallet = walletctl.wallet(5 * PRICE_MINOR)
    for moment in ("2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z", "2026-02-28T12:00:00Z"):
        usage = transaction_pb2.RecordUsageRequest(
            request_id=new_id(), wallet_id=wallet, product_code="API_CALL", quantity=1
        )
        usage.effective_time.FromJsonString(moment)
        await client.transactions.RecordUsage(usage, timeout=TIMEOUT_S)

    async def agrees() -> bool:
        return walletctl.run("pnl", "show").returncode == 0

    await until(agrees, "all events are written")
    february = walletctl.json("pnl", "show", "--from", "2026-02-01", "--to", "2026-03-01")
    assert total(february, "revenue_minor") == 2 * PRICE_MINOR
    days = walletctl.json("pnl", "show", "--by", "day", "--to", "2026-03-01")
    assert {"2026-01-31", "2026-02-01", "2026-02-28"} <= {row["day"] for row in days}
    coming = walletctl.run("pnl", "show", "--to", "2100-01-01")
    assert coming.returncode == 0
    assert "not checked" in coming.stderr


def test_aggregates_that_differ_from_the_ledger_are_told(walletctl: Walletctl) -> None:
    """Where they do not count everything it says by how much, with exit code 1."""
    wallet = walletctl.wallet(PRICE_MINOR)
    walletctl.json("actions", "usage", wallet, "--product", "API_CALL")
    elsewhere = Walletctl({**walletctl.environment, "FIRESTORE_COLLECTION": "nothing_here"})
    done = elsewhere.run("pnl", "show")
    assert done.returncode == 1
    assert "REVENUE in IDR: -" in done.stderr
    assert "0 in the aggregates" in done.stderr
