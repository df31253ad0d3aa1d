"""A table, and what many of them show."""

from collections.abc import Sequence
from dataclasses import dataclass

from privy.wallet.v1 import ledger_pb2, wallet_pb2

from devstack.demo.money import money


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of text, then columns of figures, and rows of both."""

    texts: tuple[str, ...]
    figures: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def balance_figures(balance: wallet_pb2.Balance) -> tuple[str, str, str]:
    """Write what is posted, held and available."""
    return (
        money(balance.asset_code, balance.posted_minor),
        money(balance.asset_code, balance.held_minor),
        money(balance.asset_code, balance.available_minor),
    )


def kind_name(kind: "ledger_pb2.TransactionKind.ValueType") -> str:
    name = ledger_pb2.TransactionKind.Name(kind)
    return spoken(name.removeprefix("TRANSACTION_KIND_"))


def spoken(name: str) -> str:
    """Write a name such as `TOP_UP` as people do."""
    return name.lower().replace("_", "-")
