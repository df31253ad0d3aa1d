"""Wallets, what they hold, and what happened to it."""

from collections.abc import Iterable, Iterator, Mapping

from privy.wallet.v1 import wallet_pb2

from devstack.demo.audit import Statement
from devstack.demo.money import money
from devstack.demo.tables.table import Table, balance_figures, spoken

Names = Mapping[str, str]


def wallets(wallets: Iterable[wallet_pb2.Wallet], names: Names) -> Table:
    rows = [(names[each.wallet_id], _type(each), each.wallet_id) for each in wallets]
    return Table(("called here", "type", "wallet id"), (), rows)


def tree(wallets: Iterable[wallet_pb2.Wallet], names: Names) -> Table:
    """Show where each wallet stands, and who pays for what it uses."""
    rows = [
        (
            names[each.wallet_id],
            str(dict(each.attributes).get("role", _type(each))),
            names.get(each.parent_wallet_id, ""),
            _funding_source(each),
            each.wallet_id,
        )
        for each in wallets
    ]
    return Table(("called here", "is a", "under", "who pays", "wallet id"), (), rows)


def _type(wallet: wallet_pb2.Wallet) -> str:
    return wallet_pb2.WalletType.Name(wallet.type).removeprefix("WALLET_TYPE_")


def _funding_source(wallet: wallet_pb2.Wallet) -> str:
    source = wallet.policy.funding_source or wallet_pb2.FUNDING_SOURCE_OWN
    return wallet_pb2.FundingSource.Name(source).removeprefix("FUNDING_SOURCE_")


def balances(balances: Mapping[str, Iterable[wallet_pb2.Balance]], names: Names) -> Table:
    rows = [
        (names[wallet_id], *balance_figures(each))
        for wallet_id, held in balances.items()
        for each in held
    ]
    return Table(("wallet",), ("posted", "held", "available"), rows)


def statement(statement: Statement) -> Table:
    texts, figures = ("transaction id", "kind"), ("change", "held change", "balance")
    return Table(texts, figures, list(_statement_rows(statement)))


def _statement_rows(statement: Statement) -> Iterator[tuple[str, ...]]:
    yield "", "opening balance", "", "", _posted(statement.opening)
    for each in statement.entries:
        yield (
            each.transaction_id,
            spoken(each.kind),
            _change(each.asset_code, -each.amount_minor),
            _change(each.asset_code, each.held_change_minor),
            money(each.asset_code, each.posted_after_minor),
        )
    yield "", "closing balance", "", "", _posted(statement.closing)


def _posted(balance: wallet_pb2.Balance) -> str:
    return money(balance.asset_code, balance.posted_minor)


def _change(asset_code: str, amount_minor: int) -> str:
    return money(asset_code, amount_minor) if amount_minor else ""
