"""`walletctl reconcile`"""

from typing import TYPE_CHECKING, Annotated

import click
import typer

from walletctl.failures import EXIT_REFUSED
from walletctl.finance.findings import Findings, Kind
from walletctl.output import counting
from walletctl.session import (
    DryRun,
    Limit,
    Operator,
    Session,
    WrittenFrom,
    WrittenTo,
    Yes,
    confirm,
    reason_text,
    say,
    session_of,
    timestamp,
)

if TYPE_CHECKING:
    from walletctl.finance.reconciling import Reconciliation
    from walletctl.finance.republishing import Republisher

DIFFERENCES = {"event": "event_id", "difference": "difference", "fields": "fields"}
SUMS = {
    "account": "account_type",
    "asset": "asset_code",
    "ledger": "ledger_minor",
    "documents": "documents_minor",
}


def reconcile(
    context: typer.Context,
    operator: Operator,
    start: WrittenFrom = None,
    end: WrittenTo = None,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds that events under way are waited for.")
    ] = 10.0,
    limit: Limit = 1000,
    repair: Annotated[bool, typer.Option("--repair", help="Republish what is missing.")] = False,
    why: Annotated[
        str | None, typer.Option("--reason", parser=reason_text, help="Why you repair.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Compare the ledger's events with finance's documents, one by one; exit 1 if they differ.

    MISSING: published, and there is no document. UNPUBLISHED: still in the ledger's feed. EXTRA: a
    document of no event. DIFFERING: the fields that are not what the ledger says.
    """
    from walletctl.finance.clients import open_archive  # noqa: PLC0415
    from walletctl.finance.events import LedgerEvents  # noqa: PLC0415
    from walletctl.finance.reconciling import Reconciliation  # noqa: PLC0415
    from walletctl.finance.republishing import Republisher  # noqa: PLC0415

    session = session_of(context)
    if repair and not dry_run:
        if why is None:
            raise click.UsageError("--repair needs a --reason, for the audit trail")
        confirm("Republish what is missing?", yes=yes)
    ledger = LedgerEvents(session.event_log)
    with open_archive(session.finance) as archive:
        reconciliation = Reconciliation(ledger, archive.documents, limit)
        with counting("events") as report:
            reconciliation.scan(timestamp(start), timestamp(end), report)
        reconciliation.wait(patience)
        if repair:
            republisher = Republisher(ledger, archive.acts, operator, why or "")
            _repair(reconciliation, republisher, patience, dry_run=dry_run)
        findings = reconciliation.conclude()
    _show(session, findings)
    if not findings.agree:
        raise typer.Exit(EXIT_REFUSED)


def _repair(
    reconciliation: "Reconciliation", republisher: "Republisher", patience: float, *, dry_run: bool
) -> None:
    """Republish what is missing, and wait for it."""
    count = 0
    for part in reconciliation.missing():
        if lost := [each for each in part if not each.in_feed]:
            count += len(lost)
            if not dry_run:
                republisher.put_back(lost)
    say(f"{count} would be republished" if dry_run else f"{count} republished")
    if not dry_run:
        reconciliation.wait(patience)


def _show(session: Session, findings: Findings) -> None:
    counts = {each.lower(): findings.counts[each] for each in Kind}
    if session.output.as_json:
        session.output.json(
            {
                "events": findings.events,
                "documents": findings.documents,
                **counts,
                "differences": findings.rows(),
                "sums": findings.sums(),
            }
        )
    else:
        session.output.rows(findings.sums(), SUMS)
        if findings.differences:
            session.output.rows(findings.rows(), DIFFERENCES)
    told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    say(f"{findings.events:,} events, {findings.documents:,} documents: {told or 'they agree'}")
    if (rest := findings.counts.total() - len(findings.differences)) > 0:
        say(f"stopped naming at --limit: there are {rest:,} more")
