"""The books as an auditor reads them, once the story is over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc
from privy.wallet.v1 import ledger_pb2, ledger_pb2_grpc, wallet_pb2, wallet_pb2_grpc

from devstack.demo.cast import Cast
from devstack.demo.finance import Sums
from devstack.demo.ledger import ledger_sums

PAGE_SIZE = 1_000  # More than any wallet of the story has.
VERIFY_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Statement:
    """What happened to a wallet's balance in the whole story."""

    wallet_id: str
    opening: wallet_pb2.Balance
    entries: Sequence[wallet_pb2.Entry]
    closing: wallet_pb2.Balance


@dataclass(frozen=True, slots=True)
class Audit:
    """The ledger's side of the story."""

    trial_balance: Sums
    moved: Sequence[str]
    """The transactions of the story's wallets that moved something, by their ids."""
    statements: Sequence[Statement]
    verification: ledger_pb2.VerifySummary
    transactions: int
    """How many the wallets of the story have asked for."""


class Auditor:
    """Reads the books. Raises `grpc.aio.AioRpcError`."""

    def __init__(self, wallet: grpc.aio.Channel) -> None:
        self._wallets: wallet_pb2_grpc.WalletServiceAsyncStub = wallet_pb2_grpc.WalletServiceStub(
            wallet
        )
        self._ledger: ledger_pb2_grpc.LedgerServiceAsyncStub = ledger_pb2_grpc.LedgerServiceStub(
            wallet
        )

    async def audit(self, cast: Cast) -> Audit:
        transactions = await self._transactions(cast.wallets())
        trial_balance = await self._ledger.GetTrialBalance(ledger_pb2.GetTrialBalanceRequest())
        return Audit(
            trial_balance=ledger_sums(trial_balance.lines),
            moved=[each.transaction_id for each in transactions if _moves(each)],
            statements=[await self._statement(each) for each in (cast.person, cast.enterprise)],
            verification=await self._verify(),
            transactions=len(transactions),
        )

    async def _transactions(
        self, wallets: Iterable[wallet_pb2.Wallet]
    ) -> Sequence[ledger_pb2.Transaction]:
        found: list[ledger_pb2.Transaction] = []
        for each in wallets:
            request = ledger_pb2.ListTransactionsRequest(
                wallet_id=each.wallet_id, page_size=PAGE_SIZE
            )
            found += (await self._ledger.ListTransactions(request)).transactions
        return found

    async def _statement(self, wallet: wallet_pb2.Wallet) -> Statement:
        """Read all that happened to a wallet's rupiah since it was opened."""
        request = wallet_pb2.GetStatementRequest(
            wallet_id=wallet.wallet_id,
            asset_code="IDR",
            start_time=wallet.create_time,
            page_size=PAGE_SIZE,
        )
        request.end_time.FromDatetime(datetime.now(UTC))
        answer = await self._wallets.GetStatement(request)
        return Statement(wallet.wallet_id, answer.opening, answer.entries, answer.closing)

    async def _verify(self) -> ledger_pb2.VerifySummary:
        request = ledger_pb2.VerifyLedgerRequest()
        async for each in self._ledger.VerifyLedger(request, timeout=VERIFY_TIMEOUT_S):
            last = each
        return last.summary


def _moves(transaction: ledger_pb2.Transaction) -> bool:
    return any(each.amount.minor_units for each in transaction.entries)
