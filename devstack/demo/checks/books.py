"""The books at the end: what the ledger says, expected of finance's documents."""

from collections.abc import Iterable, Iterator, Sequence

from devstack.demo.audit import Audit, Statement
from devstack.demo.books import Books
from devstack.demo.checks.check import Check
from devstack.demo.documents import Document
from devstack.demo.finance import (
    Profit,
    Sums,
    by_merchant,
    by_product,
    off_balance,
    profits_of,
    total_profits,
)
from devstack.demo.reconciliation import Reconciliation


def check_dead_letter(books: Books) -> Iterator[Check]:
    event_id = books.letter.event_id
    before = {each.document_id for each in books.before_replay}
    after = {each.document_id for each in books.documents}
    reason = books.letter.attributes.get("dead_letter_reason")
    yield Check("the dead letter says why it is one", "FIELD_INVALID", reason)
    yield Check("a replay brings the one document that was missing", {event_id}, after - before)


def check_reconciliation(ledger: Sums, reconciliation: Reconciliation) -> Iterator[Check]:
    """Check that finance has every event, as the ledger has it, and nothing else."""
    yield Check("reconcile finds no difference", [], list(reconciliation.differences))
    yield Check("each event has its one document", reconciliation.events, reconciliation.documents)
    yield Check("the events sum to the trial balance", ledger, reconciliation.ledger)
    yield Check("finance's documents sum to the trial balance", ledger, reconciliation.told)


def check_balanced(ledger: Sums, documents: Iterable[Document]) -> Iterator[Check]:
    for each in documents:
        yield Check(f"document {each.document_id} is balanced", {}, off_balance(each.lines))
    for asset_code in sorted({asset_code for _, asset_code in ledger}):
        parts = [amount for (_, code), amount in ledger.items() if code == asset_code]
        yield Check(f"the trial balance in {asset_code} sums to zero", 0, sum(parts))


def check_profits(ledger: Sums, documents: Sequence[Document]) -> Iterator[Check]:
    """Check that what each product and each merchant earned makes up what the ledger says."""
    for name, group in (("product", by_product), ("merchant", by_merchant)):
        totals = {each.asset_code: each for each in total_profits(profits_of(documents, group))}
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
