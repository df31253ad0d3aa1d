"""What happened, as rows of text. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from privy.transaction.v1 import transaction_pb2 as pb
from privy.wallet.v1 import ledger_pb2, wallet_pb2

from devstack.demo.desk import Booked
from devstack.demo.documents import Document
from devstack.demo.finance import (
    Books,
    Profit,
    Sums,
    account_type,
    document_sums,
    off_balance,
    total_profits,
)
from devstack.demo.money import money
from shared.errors import DomainError

# What a leg on an account means, debited and credited.
_MEANINGS: Mapping[str, tuple[str, str]] = {
    "WALLET": ("owed no longer", "owed to the customer"),
    "FUNDING": ("received", "paid back"),
    "REVENUE": ("reversed", "earned"),
    "VENDOR_COST": ("spent", "reversed"),
    "VENDOR_PAYABLE": ("paid", "owed to the vendor"),
}

_SUM = "sum"


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of text, then columns of figures, and rows of both."""

    texts: tuple[str, ...]
    figures: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def wallets(wallets: Iterable[wallet_pb2.Wallet], names: Mapping[str, str]) -> Table:
    rows = [
        (
            names[each.wallet_id],
            wallet_pb2.WalletType.Name(each.type).removeprefix("WALLET_TYPE_"),
            each.wallet_id,
        )
        for each in wallets
    ]
    return Table(("called here", "type", "wallet id"), (), rows)


def quotes(quotes: Iterable[pb.QuoteUsageResponse]) -> Table:
    rows = [
        (
            charge.product_code,
            "yes" if quote.sufficient_funds else "no",
            f"{charge.quantity}",
            money(charge.unit_price.asset_code, charge.unit_price.minor_units),
            money(charge.price.asset_code, charge.price.minor_units),
            money(quote.balance.asset_code, quote.balance.available_minor),
        )
        for quote in quotes
        for charge in quote.charges
    ]
    return Table(("product", "affordable"), ("quantity", "unit price", "price", "available"), rows)


def legs(booked: Iterable[Booked], names: Mapping[str, str]) -> Table:
    """Show where money moved and, if any was, what was set aside."""
    rows = [(action(each), *_leg(entry, names)) for each in booked for entry in each.ledger.entries]
    texts = ("action", "account", "meaning")
    if any(held for *_, held in rows):
        return Table(texts, ("debit", "credit", "held"), rows)
    return Table(texts, ("debit", "credit"), [row[:-1] for row in rows])


def _leg(entry: ledger_pb2.TransactionEntry, names: Mapping[str, str]) -> tuple[str, ...]:
    account = account_type(entry.account_type)
    asset_code, amount_minor = entry.amount.asset_code, entry.amount.minor_units
    held_minor = entry.held_change_minor
    return (
        _account(account, entry.wallet_id, names),
        _meaning(account, amount_minor, held_minor),
        money(asset_code, amount_minor) if amount_minor > 0 else "",
        money(asset_code, -amount_minor) if amount_minor < 0 else "",
        f"{'+' if held_minor > 0 else ''}{money(asset_code, held_minor)}" if held_minor else "",
    )


def _account(account: str, wallet_id: str, names: Mapping[str, str]) -> str:
    return f"{names[wallet_id]}'s wallet" if wallet_id else account.lower().replace("_", " ")


def _meaning(account: str, amount_minor: int, held_minor: int) -> str:
    if amount_minor == 0:
        return "set aside" if held_minor > 0 else "set free"
    debited, credited = _MEANINGS[account]
    return debited if amount_minor > 0 else credited


def balances_after(booked: Iterable[Booked], names: Mapping[str, str]) -> Table:
    rows = [
        (f"after {action(each)}", names[after.wallet_id], *_balance(after.balance))
        for each in booked
        for after in each.answer.balances_after
    ]
    return Table(("", "wallet"), ("posted", "held", "available"), rows)


def answers(booked: Iterable[Booked]) -> Table:
    """Show which transaction each request got, and the balance that it was answered."""
    rows = [
        (
            each.answer.request_id,
            action(each),
            each.answer.transaction_id,
            *_balance(after.balance)[2:],
        )
        for each in booked
        for after in each.answer.balances_after
    ]
    return Table(("request id", "action", "transaction id"), ("available after",), rows)


def balances(
    balances: Mapping[str, Iterable[wallet_pb2.Balance]], names: Mapping[str, str]
) -> Table:
    rows = [
        (names[wallet_id], *_balance(each)) for wallet_id, held in balances.items() for each in held
    ]
    return Table(("wallet",), ("posted", "held", "available"), rows)


def _balance(balance: wallet_pb2.Balance) -> tuple[str, str, str]:
    return (
        money(balance.asset_code, balance.posted_minor),
        money(balance.asset_code, balance.held_minor),
        money(balance.asset_code, balance.available_minor),
    )


def refusals(refusals: Mapping[str, DomainError]) -> Table:
    """Show why each request, by its id, was refused."""
    rows = [
        (request_id, each.reason, _figure(each, "available_minor"), _figure(each, "needed_minor"))
        for request_id, each in refusals.items()
    ]
    return Table(("request id", "reason"), ("available", "needed"), rows)


def _figure(refusal: DomainError, name: str) -> str:
    if name not in refusal.metadata:
        return ""
    return money(refusal.metadata["asset_code"], int(refusal.metadata[name]))


def documents(documents: Iterable[Document], names: Mapping[str, str]) -> Table:
    rows = [
        (
            each.document_id,
            each.kind.lower().replace("_", "-"),
            names.get(each.wallet_id, each.wallet_id),
            f"{each.quantity} x {each.product_code}" if each.product_code else "",
            f"{len(each.lines)}",
            "no" if off_balance(each.lines) else "yes",
        )
        for each in documents
    ]
    return Table(("document id", "kind", "wallet", "used"), ("lines", "balanced"), rows)


def trial_balance(books: Books) -> Table:
    """Set the ledger's sums beside the documents', each asset's own sum below."""
    ledger, told = _with_sums(books.ledger), _with_sums(document_sums(books.documents))
    keys = sorted({*ledger, *told}, key=lambda key: (key[1], key[0] == _SUM, key[0]))
    rows = [
        (
            account.lower().replace("_", " "),
            money(asset_code, ledger.get((account, asset_code), 0)),
            money(asset_code, told.get((account, asset_code), 0)),
        )
        for account, asset_code in keys
    ]
    return Table(("accounts",), ("ledger", "documents"), rows)


def _with_sums(sums: Sums) -> Sums:
    totals: Counter[tuple[str, str]] = Counter()
    for (_, asset_code), amount_minor in sums.items():
        totals[_SUM, asset_code] += amount_minor
    return {**sums, **totals}


def profit_and_loss(profits: Sequence[Profit]) -> Table:
    rows = [
        (
            each.product_code,
            money(each.asset_code, each.revenue_minor),
            money(each.asset_code, each.cost_minor),
            money(each.asset_code, each.margin_minor),
        )
        for each in (*profits, *total_profits(profits))
    ]
    return Table(("product",), ("revenue", "cost", "margin"), rows)


def action(booked: Booked) -> str:
    kind = ledger_pb2.TransactionKind.Name(booked.answer.kind)
    return kind.removeprefix("TRANSACTION_KIND_").lower().replace("_", "-")
