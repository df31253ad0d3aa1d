"""Actions, as they were answered and as they stand in the books."""

from collections.abc import Collection, Iterable, Mapping

from privy.transaction.v1 import transaction_pb2 as pb
from privy.wallet.v1 import ledger_pb2

from devstack.demo.desk import Booked
from devstack.demo.ledger import account_type
from devstack.demo.money import money
from devstack.demo.tables.table import Table, balance_figures, kind_name
from shared.errors import DomainError

# What a leg on an account means, debited and credited.
_MEANINGS: Mapping[str, tuple[str, str]] = {
    "WALLET": ("owed no longer", "owed to the customer"),
    "FUNDING": ("received", "paid back"),
    "REVENUE": ("reversed", "earned"),
    "VENDOR_COST": ("spent", "reversed"),
    "VENDOR_PAYABLE": ("reversed", "owed to the vendor"),
    "TAX_PAYABLE": ("reversed", "owed as tax"),
    "BREAKAGE": ("reversed", "earned, unspent"),
    "MARGIN": ("reversed", "earned by reselling"),
}


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
    booked = tuple(booked)
    sellers = _sellers(booked)
    rows = [
        (action(each), *_leg(entry, names, sellers))
        for each in booked
        for entry in each.ledger.entries
    ]
    texts = ("action", "account", "meaning")
    if any(held for *_, held in rows):
        return Table(texts, ("debit", "credit", "held"), rows)
    return Table(texts, ("debit", "credit"), [row[:-1] for row in rows])


def _sellers(booked: Iterable[Booked]) -> Collection[str]:
    """Give the wallets that earn a margin."""
    return {
        margin.wallet_id
        for each in booked
        for charge in each.ledger.charges
        for margin in charge.margins
    }


def _leg(
    entry: ledger_pb2.TransactionEntry, names: Mapping[str, str], sellers: Collection[str]
) -> tuple[str, ...]:
    account = account_type(entry.account_type)
    asset_code, amount_minor = entry.amount.asset_code, entry.amount.minor_units
    held_minor = entry.held_change_minor
    return (
        names[entry.wallet_id] if entry.wallet_id else account.lower().replace("_", " "),
        _meaning("MARGIN" if entry.wallet_id in sellers else account, amount_minor, held_minor),
        money(asset_code, amount_minor) if amount_minor > 0 else "",
        money(asset_code, -amount_minor) if amount_minor < 0 else "",
        f"{'+' if held_minor > 0 else ''}{money(asset_code, held_minor)}" if held_minor else "",
    )


def _meaning(account: str, amount_minor: int, held_minor: int) -> str:
    if amount_minor == 0:
        return "set aside" if held_minor > 0 else "set free"
    debited, credited = _MEANINGS[account]
    return debited if amount_minor > 0 else credited


def balances_after(booked: Iterable[Booked], names: Mapping[str, str]) -> Table:
    rows = [
        (f"after {action(each)}", names[after.wallet_id], *balance_figures(after.balance))
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
            *balance_figures(after.balance)[2:],
        )
        for each in booked
        for after in each.answer.balances_after
    ]
    return Table(("request id", "action", "transaction id"), ("available after",), rows)


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


def limit_refusals(refusals: Mapping[str, DomainError], names: Mapping[str, str]) -> Table:
    """Show which limit each request, by its id, would have passed."""
    rows = [
        (
            request_id,
            each.reason,
            names[each.metadata["wallet_id"]],
            *(_figure(each, f"{name}_minor") for name in ("limit", "spent", "needed")),
        )
        for request_id, each in refusals.items()
    ]
    return Table(("request id", "reason", "whose limit"), ("limit", "spent", "needed"), rows)


def action(booked: Booked) -> str:
    return kind_name(booked.answer.kind)
