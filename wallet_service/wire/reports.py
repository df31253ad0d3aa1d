"""What a verification says, as messages of its stream."""

from collections.abc import Iterable

from privy.wallet.v1 import ledger_pb2

from shared.errors import invalid
from wallet_service import ids
from wallet_service.audit import Finding
from wallet_service.chain import Head
from wallet_service.verification import Progress, Report

MAX_HEADS = 1024
HASH_BYTES = 32


def known_heads_of(request: ledger_pb2.VerifyLedgerRequest) -> list[Head]:
    if len(request.known_heads) > MAX_HEADS:
        raise invalid("known_heads", f"must be at most {MAX_HEADS}")
    heads = []
    for i, head in enumerate(request.known_heads):
        if len(head.hash) != HASH_BYTES:
            raise invalid(f"known_heads[{i}].hash", f"must be {HASH_BYTES} bytes")
        heads.append(Head(head.chain, ids.transaction_number(head.transaction_id), head.hash))
    return heads


def report_out(report: Report) -> ledger_pb2.VerifyLedgerResponse:
    if isinstance(report, Progress):
        progress = ledger_pb2.VerifyProgress(
            stage=report.stage,
            transactions=report.transactions,
            transactions_estimated=report.transactions_estimated,
        )
        return ledger_pb2.VerifyLedgerResponse(progress=progress)
    if isinstance(report, Finding):
        finding = ledger_pb2.VerifyFinding(table=report.table, row=report.row, detail=report.detail)
        return ledger_pb2.VerifyLedgerResponse(finding=finding)
    summary = ledger_pb2.VerifySummary(
        transactions=report.transactions,
        entries=report.entries,
        findings=report.findings,
        heads=_heads_out(report.heads),
    )
    return ledger_pb2.VerifyLedgerResponse(summary=summary)


def _heads_out(heads: Iterable[Head]) -> list[ledger_pb2.ChainHead]:
    return [
        ledger_pb2.ChainHead(
            chain=head.chain,
            transaction_id=ids.transaction_text(head.last_transaction_id),
            hash=head.hash,
        )
        for head in heads
    ]
