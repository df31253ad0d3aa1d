"""What was earned, and what it cost, from finance's aggregates. Pure.

Amounts are in minor units, and positive as an aggregate has them: earned, spent, owed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from walletctl.output import Row

_FIELDS = ("revenue_minor", "breakage_minor", "cost_minor", "margin_minor", "tax_minor")

# The ledger's accounts that a field sums up, and its sign there. What resellers earn is on wallets,
# among what customers have paid.
_ACCOUNTS = {
    "revenue_minor": ("REVENUE", -1),
    "breakage_minor": ("BREAKAGE", -1),
    "cost_minor": ("VENDOR_COST", 1),
    "tax_minor": ("TAX_PAYABLE", -1),
}

Sums = Mapping[tuple[str, str], int]
"""(account type, asset code) → signed sum, debits positive."""


class Dimension(StrEnum):
    PRODUCT = "product"
    ENTERPRISE = "enterprise"
    MERCHANT = "merchant"
    RESELLER = "reseller"
    DAY = "day"

    def key_of(self, aggregate: Row) -> str:
        """Answer whom an aggregate belongs to; empty for none. A day is of UTC, when it counts."""
        match self:
            case Dimension.PRODUCT:
                return str(aggregate["product_code"])
            case Dimension.DAY:
                return str(aggregate["effective_date"])
            case _:
                return str(aggregate[f"{self}_wallet_id"])


def rows_by(dimension: Dimension, aggregates: Iterable[Row]) -> list[Row]:
    """Sum by the keys of `dimension`, in each asset that was earned or cost."""
    sums: dict[tuple[str, str], Counter[str]] = {}
    for each in aggregates:
        key = dimension.key_of(each), each["asset_code"]
        sums.setdefault(key, Counter()).update({name: each[name] for name in _FIELDS})
    return [
        {
            str(dimension): key,
            "asset_code": asset_code,
            **{name: of_key[name] for name in _FIELDS},
            "profit_minor": of_key["revenue_minor"]
            + of_key["breakage_minor"]
            - of_key["cost_minor"],
        }
        for (key, asset_code), of_key in sorted(sums.items())
    ]


def account_sums(rows: Iterable[Row]) -> Sums:
    """Say what the ledger's accounts must hold by aggregates, or by rows made of them."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in rows:
        for name, (account_type, sign) in _ACCOUNTS.items():
            sums[account_type, row["asset_code"]] += sign * row[name]
    return sums


def booked_between(start: Iterable[Row], end: Iterable[Row]) -> Sums:
    """Say what came onto the accounts of finance from one trial balance to another."""
    sums: Counter[tuple[str, str]] = Counter()
    for sign, lines in ((-1, start), (1, end)):
        for line in lines:
            sums[line["account_type"], line["asset_code"]] += sign * line["amount_minor"]
    accounts = {account_type for account_type, _ in _ACCOUNTS.values()}
    return {key: minor for key, minor in sums.items() if key[0] in accounts}


def differences(told: Sums, booked: Sums) -> list[str]:
    """Say where the aggregates and the ledger differ."""
    return [
        f"{account_type} in {asset_code}: {booked.get((account_type, asset_code), 0)} in the "
        f"ledger, {told.get((account_type, asset_code), 0)} in the aggregates"
        for account_type, asset_code in sorted({*told, *booked})
        if booked.get((account_type, asset_code), 0) != told.get((account_type, asset_code), 0)
    ]
