"""What the ledger says of the same money as finance's documents. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from privy.wallet.v1 import ledger_pb2

from devstack.demo.documents import Document, Line, in_order
from devstack.demo.finance import ACCOUNTS, Sums

_LINE_TYPES = {account: name for name, account in ACCOUNTS.items() if name != "MARGIN"}


def ledger_sums(lines: Iterable[ledger_pb2.TrialBalanceLine]) -> Sums:
    return {
        (account_type(line.account_type), line.asset_code): line.amount_minor
        for line in lines
        if line.amount_minor
    }


def account_type(number: "ledger_pb2.AccountType.ValueType") -> str:
    """Give an account type's name without its prefix."""
    return ledger_pb2.AccountType.Name(number).removeprefix("ACCOUNT_TYPE_")


def documents_due(
    transactions: Iterable[ledger_pb2.Transaction], merchants: Mapping[str, str]
) -> Sequence[Document]:
    """Give the documents that finance must have: one for each transaction that moved something.

    `merchants` has the merchant of each wallet that has one.
    """
    by_id = {each.transaction_id: each for each in transactions}
    return in_order(
        _document_due(each, by_id.get(each.voids_transaction_id, each), merchants)
        for each in by_id.values()
        if any(entry.amount.minor_units for entry in each.entries)
    )


def _document_due(
    transaction: ledger_pb2.Transaction,
    charged: ledger_pb2.Transaction,
    merchants: Mapping[str, str],
) -> Document:
    """Build one; `charged` is the transaction whose charges it goes by: what a void takes back."""
    kind = ledger_pb2.TransactionKind.Name(transaction.kind)
    sellers = {each.wallet_id for charge in charged.charges for each in charge.margins}
    return Document(
        document_id=transaction.transaction_id,
        kind=kind.removeprefix("TRANSACTION_KIND_"),
        wallet_id=transaction.wallet_id,
        product_code="".join(each.product_code for each in charged.charges),
        quantity=sum(each.quantity for each in charged.charges),
        lines=tuple(
            Line(
                "MARGIN" if each.wallet_id in sellers else _line_type(each),
                each.amount.asset_code,
                each.amount.minor_units,
            )
            for each in transaction.entries
            if each.amount.minor_units
        ),
        merchant_wallet_id=merchants.get(transaction.wallet_id, ""),
    )


def _line_type(entry: ledger_pb2.TransactionEntry) -> str:
    return _LINE_TYPES[account_type(entry.account_type)]
