"""What finance documents add up to. Pure; amounts are in minor units."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from devstack.demo.documents import Document, Line

# (account type, asset code) → signed sum, debits positive; those of zero are left out.
Sums = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Profit:
    """What a product, or a merchant, earned, cost and passed on, in one asset."""

    name: str
    asset_code: str
    revenue_minor: int = 0
    breakage_minor: int = 0
    cost_minor: int = 0
    tax_minor: int = 0
    margin_minor: int = 0
    """What resellers earned."""

    @property
    def result_minor(self) -> int:
        return self.revenue_minor + self.breakage_minor - self.cost_minor


def by_product(document: Document) -> str:
    return document.product_code or "no product"


def by_merchant(document: Document) -> str:
    return document.merchant_wallet_id or "no merchant"


def profits_of(documents: Iterable[Document], group: Callable[[Document], str]) -> list[Profit]:
    """Give the profit and loss of each group, in each asset that it earned or cost."""
    credited: Counter[tuple[str, str, str]] = Counter()
    for document in documents:
        for line in document.lines:
            credited[group(document), line.asset_code, line.type] -= line.amount_minor
    keys = sorted({(name, asset_code) for name, asset_code, _ in credited})
    profits = [
        Profit(
            *key,
            revenue_minor=credited[*key, "REVENUE"],
            breakage_minor=credited[*key, "BREAKAGE"],
            cost_minor=-credited[*key, "COST"],
            tax_minor=credited[*key, "TAX"],
            margin_minor=credited[*key, "MARGIN"],
        )
        for key in keys
    ]
    return [each for each in profits if each != Profit(each.name, each.asset_code)]


def total_profits(profits: Sequence[Profit]) -> list[Profit]:
    """Sum them all, in each asset."""
    return [
        Profit(
            "all",
            asset_code,
            revenue_minor=sum(each.revenue_minor for each in mine),
            breakage_minor=sum(each.breakage_minor for each in mine),
            cost_minor=sum(each.cost_minor for each in mine),
            tax_minor=sum(each.tax_minor for each in mine),
            margin_minor=sum(each.margin_minor for each in mine),
        )
        for asset_code in sorted({each.asset_code for each in profits})
        for mine in ([each for each in profits if each.asset_code == asset_code],)
    ]


def off_balance(lines: Iterable[Line]) -> Mapping[str, int]:
    """Say by how much `lines` fail to sum to zero, by asset; empty if they are balanced."""
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line.asset_code] += line.amount_minor
    return {asset_code: amount for asset_code, amount in sums.items() if amount}


def _lines(documents: Iterable[Document]) -> Iterable[Line]:
    return (line for document in documents for line in document.lines)
