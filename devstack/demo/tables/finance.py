"""What finance has, beside what the ledger has."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from devstack.demo.dead_letters import DeadLetter
from devstack.demo.documents import Document
from devstack.demo.finance import Profit, Sums, off_balance, total_profits
from devstack.demo.money import money
from devstack.demo.reconciliation import Reconciliation
from devstack.demo.tables.table import Table, spoken

Names = Mapping[str, str]

_SUM = "sum"


def dead_letter(letter: DeadLetter) -> Table:
    told = letter.attributes
    row = (letter.event_id, told["dead_letter_reason"], told["dead_letter_detail"])
    return Table(("event", "reason", "detail"), ("attempt",), [(*row, told["dead_letter_attempt"])])


def replay(event_id: str, before: Sequence[Document], after: Sequence[Document]) -> Table:
    """Show how many documents there are, and whether the event's is among them."""
    rows = [
        (when, "yes" if _has(documents, event_id) else "no", f"{len(documents)}")
        for when, documents in (("before the replay", before), ("after the replay", after))
    ]
    return Table(("", "has the document"), ("documents",), rows)


def _has(documents: Iterable[Document], document_id: str) -> bool:
    return any(each.document_id == document_id for each in documents)


def documents(documents: Iterable[Document], names: Names) -> Table:
    rows = [
        (
            each.document_id,
            spoken(each.kind),
            names.get(each.wallet_id, each.wallet_id),
            f"{each.quantity} x {each.product_code}" if each.product_code else "",
            "no" if off_balance(each.lines) else "yes",
        )
        for each in documents
    ]
    return Table(("document id", "kind", "wallet", "used"), ("balanced",), rows)


def differences(reconciliation: Reconciliation) -> Table:
    counts = reconciliation.events, reconciliation.documents, len(reconciliation.differences)
    return Table((), ("events", "documents", "differences"), [tuple(map(str, counts))])


def trial_balance(ledger: Sums, told: Sums) -> Table:
    """Set the ledger's sums beside the documents', each asset's own sum below."""
    ledger, told = _with_sums(ledger), _with_sums(told)
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


def profit_and_loss(heading: str, profits: Sequence[Profit], names: Names) -> Table:
    rows = [
        (
            names.get(each.name, each.name),
            money(each.asset_code, each.revenue_minor),
            money(each.asset_code, each.breakage_minor),
            money(each.asset_code, each.cost_minor),
            money(each.asset_code, each.result_minor),
        )
        for each in (*profits, *total_profits(profits))
    ]
    return Table((heading,), ("revenue", "breakage", "cost", "result"), rows)


def passed_on(heading: str, profits: Iterable[Profit], names: Names) -> Table:
    """Show what customers paid that the house does not earn."""
    rows = [
        (
            names.get(each.name, each.name),
            money(each.asset_code, each.tax_minor),
            money(each.asset_code, each.margin_minor),
        )
        for each in profits
        if each.tax_minor or each.margin_minor
    ]
    return Table((heading,), ("tax", "margin to resellers"), rows)
