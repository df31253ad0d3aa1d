"""What the finance documents add up to. Pure; amounts are in minor units."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from privy.wallet.v1 import ledger_pb2

from devstack.demo.documents import Document, Line

# Which of the ledger's accounts each type of line speaks of.
ACCOUNTS: Mapping[str, str] = {
    "FUNDING": "FUNDING",
    "DEFERRED_REVENUE": "WALLET",
    "REVENUE": "REVENUE",
    "COST": "VENDOR_COST",
    "VENDOR_PAYABLE": "VENDOR_PAYABLE",
}

# (account type, asset code) → signed sum, debits positive; those of zero are left out.
Sums = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Books:
    """The same money seen twice: as the ledger holds it, and as finance was told."""

    ledger: Sums
    documents: Sequence[Document]


@dataclass(frozen=True, slots=True)
class Profit:
    """What a product earned and cost in one asset."""

    product_code: str
    asset_code: str
    revenue_minor: int
    cost_minor: int

    @property
    def margin_minor(self) -> int:
        return self.revenue_minor - self.cost_minor


def ledger_sums(lines: Iterable[ledger_pb2.TrialBalanceLine]) -> Sums:
    return {
        (account_type(line.account_type), line.asset_code): line.amount_minor
        for line in lines
        if line.amount_minor
    }


def account_type(number: "ledger_pb2.AccountType.ValueType") -> str:
    """Give an account type's name without its prefix."""
    return ledger_pb2.AccountType.Name(number).removeprefix("ACCOUNT_TYPE_")


def document_sums(documents: Iterable[Document]) -> Sums:
    """Sum all documents as the ledger's trial balance does."""
    sums: Counter[tuple[str, str]] = Counter()
    for line in _lines(documents):
        sums[ACCOUNTS[line.type], line.asset_code] += line.amount_minor
    return {key: amount for key, amount in sums.items() if amount}


def profits_of(documents: Sequence[Document]) -> list[Profit]:
    """Give the profit and loss of each product, in each asset that it earned or cost."""
    revenue_minor: Counter[tuple[str, str]] = Counter()
    cost_minor: Counter[tuple[str, str]] = Counter()
    for document in documents:
        for line in document.lines:
            key = (document.product_code, line.asset_code)
            if line.type == "REVENUE":
                revenue_minor[key] -= line.amount_minor
            elif line.type == "COST":
                cost_minor[key] += line.amount_minor
    return [
        Profit(*key, revenue_minor[key], cost_minor[key])
        for key in sorted({*revenue_minor, *cost_minor})
    ]


def total_profits(profits: Sequence[Profit]) -> list[Profit]:
    """Sum the profit and loss of all products, in each asset."""
    assets = sorted({each.asset_code for each in profits})
    return [
        Profit(
            "all products",
            asset_code,
            sum(each.revenue_minor for each in profits if each.asset_code == asset_code),
            sum(each.cost_minor for each in profits if each.asset_code == asset_code),
        )
        for asset_code in assets
    ]


def off_balance(lines: Iterable[Line]) -> Mapping[str, int]:
    """Say by how much `lines` fail to sum to zero, by asset; empty if they are balanced."""
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line.asset_code] += line.amount_minor
    return {asset_code: amount for asset_code, amount in sums.items() if amount}


def _lines(documents: Iterable[Document]) -> Iterable[Line]:
    return (line for document in documents for line in document.lines)
