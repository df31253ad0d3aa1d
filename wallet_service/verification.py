"""Verifying the books, in one snapshot, while postings go on."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from shared.idempotency import digest
from wallet_service.audit import Auditor, Finding, Recorded
from wallet_service.chain import Head
from wallet_service.store import verification as store
from wallet_service.store.connections import Connection, Pool, connection

CHUNK = 200
"""Transactions that are looked at without giving way: some milliseconds' work."""

MAX_FINDINGS = 100

OWN_KINDS = frozenset({"EXPIRATION", "BREAKAGE"})
"""What the ledger posts by itself, under request ids of its own."""


@dataclass(frozen=True, slots=True)
class Progress:
    stage: str
    transactions: int
    transactions_estimated: int


@dataclass(frozen=True, slots=True)
class Summary:
    transactions: int
    entries: int
    findings: int
    heads: list[Head]


Report: TypeAlias = Progress | Finding | Summary


class Verification:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def run(self, known_heads: Sequence[Head]) -> AsyncGenerator[Report, None]:
        """Recompute everything; tell progress, what is off, and a summary at the end.

        Ends after 100 findings. What it keeps in mind grows with the number of accounts. Raises
        `Unavailable`.
        """
        auditor = Auditor({head.last_transaction_id: head for head in known_heads})
        findings = 0
        async with (
            connection(self._pool) as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
            aclosing(_Walk(conn, auditor).reports()) as reports,
        ):
            async for report in reports:
                findings += isinstance(report, Finding)
                yield report
                if findings == MAX_FINDINGS:
                    break
        heads = sorted(auditor.heads.values(), key=lambda head: head.chain)
        yield Summary(auditor.transactions, auditor.entries, findings, heads)


@dataclass(slots=True)
class _Walk:
    """Goes through the books once: transactions in order, then what they should sum to."""

    conn: Connection
    auditor: Auditor
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def reports(self) -> AsyncGenerator[Report, None]:
        estimated = await store.estimate_transactions(self.conn)
        after = 0
        while chunk := await store.next_transactions(self.conn, after, CHUNK):
            for recorded in chunk:
                for finding in self.auditor.see(recorded):
                    yield finding
            for finding in await self._requests_off(chunk):
                yield finding
            after = chunk[-1].transaction.transaction_id
            yield Progress("transactions", self.auditor.transactions, estimated)
        for finding in await self._heads_off():
            yield finding
        async for finding in self._accounts_off():
            yield finding
        for table, comparison in store.COMPARISONS:
            yield Progress(table, self.auditor.transactions, estimated)
            for finding in await store.rows_off(self.conn, table, comparison, MAX_FINDINGS):
                yield finding

    async def _requests_off(self, chunk: Iterable[Recorded]) -> list[Finding]:
        wanted = {
            _request_digest(recorded): recorded.transaction.transaction_id
            for recorded in chunk
            if self.began_at - recorded.transaction.recorded_at < store.REMEMBERED
        }
        found = await store.find_requests(self.conn, list(wanted))
        return [
            Finding(
                "requests",
                f"request_digest={request_digest.hex()}",
                f"it came to {found.get(request_digest)}, but should have to {transaction_id}",
            )
            for request_digest, transaction_id in wanted.items()
            if found.get(request_digest) != transaction_id
        ]

    async def _heads_off(self) -> list[Finding]:
        stored = await store.load_heads(self.conn)
        off = [finding for head in stored for finding in self.auditor.head_of(head)]
        return [*off, *self.auditor.missing_heads()]

    async def _accounts_off(self) -> AsyncIterator[Finding]:
        async for account_id, stored in store.load_accounts(self.conn):
            for finding in self.auditor.account(account_id, stored):
                yield finding
        for finding in self.auditor.missing_accounts():
            yield finding


def _request_digest(recorded: Recorded) -> bytes:
    txn = recorded.transaction
    # No caller's request id holds a control character.
    own = "\0" if txn.kind in OWN_KINDS else ""
    return digest(f"{own}{txn.request_id}".encode())
