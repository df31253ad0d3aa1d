"""What events earned and cost, from their documents. Pure; amounts are in minor units."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC
from enum import StrEnum
from typing import Any

from walletctl.output import Row

FIELDS = (
    "lines",
    "product_code",
    "enterprise_wallet_id",
    "merchant_wallet_id",
    "reseller_wallet_id",
    "effective_time",
)

# Which of the ledger's accounts a type of line speaks of: earned ones are credits there.
_ACCOUNTS = {
    "LINE_TYPE_REVENUE": "REVENUE",
    "LINE_TYPE_BREAKAGE": "BREAKAGE",
    "LINE_TYPE_COST": "VENDOR_COST",
}

Sums = Mapping[tuple[str, str], int]
"""(account type, asset code) → signed sum, debits positive."""


class Dimension(StrEnum):
    PRODUCT = "product"
    ENTERPRISE = "enterprise"
    MERCHANT = "merchant"
    RESELLER = "reseller"
    DAY = "day"

    def key_of(self, document: Mapping[str, Any]) -> str:
        """Answer whom a document belongs to; empty for none. A day is of UTC, when it counts."""
        match self:
            case Dimension.PRODUCT:
                return str(document["product_code"])
            case Dimension.DAY:
                return str(document["effective_time"].astimezone(UTC).date())
            case _:
                return str(document[f"{self}_wallet_id"])


def sums_by(dimension: Dimension, documents: Iterable[Mapping[str, Any]]) -> Mapping[str, Sums]:
    """Sum what was earned and what it cost, by the keys of `dimension`."""
    sums: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for document in documents:
        of_key = sums[dimension.key_of(document)]
        for line in document["lines"]:
            if account := _ACCOUNTS.get(line["type"]):
                of_key[account, line["asset_code"]] += line["amount_minor"]
    return sums


def rows_of(dimension: Dimension, sums: Mapping[str, Sums]) -> list[Row]:
    """Say the profit of each key, in each asset that it earned or cost."""
    return [
        _row(dimension, key, asset_code, of_key)
        for key, of_key in sorted(sums.items())
        for asset_code in sorted({asset for _, asset in of_key})
    ]


def _row(dimension: Dimension, key: str, asset_code: str, sums: Sums) -> Row:
    revenue_minor = -sums.get(("REVENUE", asset_code), 0)
    breakage_minor = -sums.get(("BREAKAGE", asset_code), 0)
    cost_minor = sums.get(("VENDOR_COST", asset_code), 0)
    return {
        str(dimension): key,
        "asset_code": asset_code,
        "revenue_minor": revenue_minor,
        "breakage_minor": breakage_minor,
        "cost_minor": cost_minor,
        "profit_minor": revenue_minor + breakage_minor - cost_minor,
    }


def differences(sums: Iterable[Sums], ledger: Iterable[Row]) -> list[str]:
    """Say where the documents, taken together, and the ledger's trial balance differ."""
    told: Counter[tuple[str, str]] = Counter()
    for each in sums:
        told.update(each)
    booked = {(line["account_type"], line["asset_code"]): line["amount_minor"] for line in ledger}
    accounts = set(_ACCOUNTS.values())
    keys = sorted(key for key in {*told, *booked} if key[0] in accounts)
    return [
        f"{account} in {asset}: {booked.get((account, asset), 0)} in the ledger, "
        f"{told[account, asset]} in the documents"
        for account, asset in keys
        if booked.get((account, asset), 0) != told[account, asset]
    ]
