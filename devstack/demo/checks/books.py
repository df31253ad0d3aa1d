"""The books at the end: what the ledger says, expected of finance's documents."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from devstack.demo.audit import Audit, Statement
from devstack.demo.books import Books
from devstack.demo.checks.check import Check
from devstack.demo.documents import Document
from devstack.demo.finance import (
    Profit,
    Sums,
    by_merchant,
    by_product,
    document_sums,
    off_balance,
    profits_of,
    total_profits,
)


def check_dead_letter(books: Books) -> Iterator[Check]:
    event_id = books.letter.event_id
    before = {each.document_id for each in books.before_replay}
    after = {each.document_id for each in books.documents}
    reason = books.letter.attributes.get("dead_letter_reason")
    yield Check("the dead letter says why it is one", "FIELD_INVALID", reason)
    yield Check("a replay brings the one document that was missing", {event_id}, after - before)


def check_documents(due: Sequence[Document], documents: Sequence[Document]) -> Iterator[Check]:
    expected = {each.document_id: each for each in due}
    found = {each.document_id: each for each in documents}
    yield Check("each movement of money has its one document", sorted(expected), sorted(found))
    for document_id in sorted(expected.keys() & found.keys()):
        yield Check(
            f"document {document_id} is balanced", {}, off_balance(found[document_id].lines)
        )
        yield Check(
            f"document {document_id} says what the ledger says",
            _unordered(expected[document_id]),
            _unordered(found[document_id]),
        )


def _unordered(document: Document) -> Document:
    lines = sorted(document.lines, key=lambda each: (each.type, each.asset_code, each.amount_minor))
    return replace(document, lines=tuple(lines))


def check_sums(ledger: Sums, documents: Sequence[Document]) -> Iterator[Check]:
    """Check the trial balance: that it sums to zero, and that finance's is the same."""
    told = document_sums(documents)
    yield Check("finance's documents sum to the ledger's trial balance", ledger, told)
    for asset_code in sorted({asset_code for _, asset_code in ledger}):
        parts = [amount for (_, code), amount in ledger.items() if code == asset_code]
        yield Check(f"the trial balance in {asset_code} sums to zero", 0, sum(parts))


def check_profits(
    ledger: Sums, due: Sequence[Document], documents: Sequence[Document]
) -> Iterator[Check]:
    """Check what each product and each merchant earned, and that nothing else was earned."""
    for name, group in (("product", by_product), ("merchant", by_merchant)):
        profits = profits_of(documents, group)
        claim = f"profit and loss by {name} is the ledger's"
        yield Check(claim, profits_of(due, group), profits)
        totals = {each.asset_code: each for each in total_profits(profits)}
        for asset_code in sorted({code for _, code in ledger}):
            total = totals.get(asset_code, Profit("all", asset_code))
            accounts = ("REVENUE", "BREAKAGE", "VENDOR_COST", "TAX_PAYABLE")
            yield Check(
                f"profit and loss by {name} in {asset_code} sums to the trial balance",
                tuple(ledger.get((account, asset_code), 0) for account in accounts),
                (-total.revenue_minor, -total.breakage_minor, total.cost_minor, -total.tax_minor),
            )


def check_statement(statement: Statement, name: str) -> Iterator[Check]:
    moved_minor = sum(each.amount_minor for each in statement.entries)
    yield Check(
        f"the {name}'s statement goes from its opening to its closing balance",
        statement.closing.posted_minor,
        statement.opening.posted_minor - moved_minor,
    )


def check_verification(audit: Audit) -> Iterator[Check]:
    summary = audit.verification
    yield Check("no row of the ledger is off", 0, summary.findings)
    yield Check("each transaction was verified", audit.transactions, summary.transactions)
