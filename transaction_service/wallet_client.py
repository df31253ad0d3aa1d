"""Calls to the Wallet service: by the batch where many ask at once, each with a deadline."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias, TypeVar

import grpc
from privy.wallet.v1 import ledger_pb2, ledger_pb2_grpc, wallet_pb2, wallet_pb2_grpc

from shared.coalesce import Coalescer
from shared.errors import (
    DomainError,
    FailedPrecondition,
    FieldViolation,
    NotFound,
    Unavailable,
)
from shared.gate import Gate
from shared.rpc_client import error_of, rebuilt
from shared.telemetry import Metrics
from transaction_service.domain import Action, Booking, Original, Plan, Profile
from transaction_service.wire import wallet
from transaction_service.wire.plans import plan_out, replay_out

POST_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 2.0
READS_AT_ONCE = 256
MAX_READS_WAITING = 10_000
MAX_ATTEMPTS = 4
FIRST_BACKOFF_S = 0.05

Answer = TypeVar("Answer")
Verdict: TypeAlias = ledger_pb2.Transaction | DomainError


class RetryBudget:
    """Allows about one retry for every ten calls, so that a failing part is not trampled on.

    See "Handling Overload" in Google's Site Reliability Engineering (2016), which the ratio
    comes from.
    """

    RATIO = 0.1
    MAX_SAVED = 10.0

    def __init__(self) -> None:
        self._saved = self.MAX_SAVED

    def deposit(self) -> None:
        self._saved = min(self.MAX_SAVED, self._saved + self.RATIO)

    def withdraw(self) -> bool:
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


class Plans(NamedTuple):
    """Plans that travel in one call; `together`, they are accepted all or none."""

    plans: Sequence[ledger_pb2.Plan]
    together: bool = False


class WalletClient:
    def __init__(self, channel: grpc.aio.Channel, metrics: Metrics) -> None:
        self._ledger = ledger_pb2_grpc.LedgerServiceStub(channel)
        self._wallets = wallet_pb2_grpc.WalletServiceStub(channel)
        self._reads = Gate(READS_AT_ONCE, MAX_READS_WAITING)
        self._budget = RetryBudget()
        self._metrics = metrics
        self._coalescer: Coalescer[Plans, Sequence[Verdict]] = Coalescer(
            self._post_batch, weight=lambda each: len(each.plans)
        )
        self._transactions: Coalescer[str, ledger_pb2.Transaction] = Coalescer(
            self._read_transactions
        )

    async def post(self, action: Action, plan: Plan) -> ledger_pb2.Transaction:
        """Have an action's plan posted, together with those that wait at the same time.

        Raises the ledger's refusal, `ResourceExhausted` where too many wait, `Unavailable`
        where the Wallet does not answer: then the outcome is open.
        """
        return await self._post_one(plan_out(action, plan))

    async def replay(self, action: Action) -> ledger_pb2.Transaction:
        """Answer what an action's request was answered before, and decide nothing.

        Raises that refusal, `NotFound` (`REQUEST_UNKNOWN`) for one that never was answered, and
        what `post` raises.
        """
        return await self._post_one(replay_out(action))

    async def post_all(
        self, asked: Sequence[tuple[Action, Plan | None]], *, together: bool
    ) -> Sequence[Verdict]:
        """Have plans posted in one call, each seeing the effect of those before it; at most 1,000.

        Answers their verdicts in order; that of an action without a plan is as of `replay`.
        `together`, they are accepted all or none. Raises as `post`, but for refusals.
        """
        plans = [
            replay_out(action) if plan is None else plan_out(action, plan) for action, plan in asked
        ]
        return await self._coalescer.submit(Plans(plans, together)) if plans else []

    async def _post_one(self, plan: ledger_pb2.Plan) -> ledger_pb2.Transaction:
        (verdict,) = await self._coalescer.submit(Plans((plan,)))
        if isinstance(verdict, DomainError):
            raise verdict
        return verdict

    async def drain(self) -> None:
        await self._coalescer.drain()

    async def _post_batch(self, batch: Sequence[Plans]) -> Sequence[Sequence[Verdict]]:
        request = _batch_out(batch)
        self._metrics.increment("batches")
        self._metrics.histogram("batch_plans", len(request.plans))
        response = await self._call(lambda: self._ledger.PostBatch(request, timeout=POST_TIMEOUT_S))
        verdicts = map(_verdict, response.results)
        return [list(islice(verdicts, len(each.plans))) for each in batch]

    async def booking(self, booking_id: str) -> Booking:
        """Read what a booking froze, and what was taken of it. Raises `NotFound`, `Unavailable`.

        Its state is the ledger's affair, under its locks.
        """
        try:
            found = await self.transaction(booking_id)
        except NotFound:
            found = ledger_pb2.Transaction()
        if found.kind != ledger_pb2.TRANSACTION_KIND_BOOKING or found.booking_id != booking_id:
            raise NotFound(
                "BOOKING_NOT_FOUND",
                f"booking {booking_id} does not exist",
                {"booking_id": booking_id},
            )
        return wallet.booking_of(found)

    async def original(self, transaction_id: str) -> Original:
        """Read what there is to take back of a transaction. Raises `NotFound`, `Unavailable`.

        Raises `FailedPrecondition` for one that moved nothing.
        """
        found = await self.transaction(transaction_id)
        if not any(entry.amount.minor_units for entry in found.entries):
            raise FailedPrecondition(
                "TRANSACTION_NOT_VOIDABLE",
                f"{transaction_id} moved nothing that could be taken back",
                {"transaction_id": transaction_id},
            )
        return wallet.original_of(found)

    async def transaction(self, transaction_id: str) -> ledger_pb2.Transaction:
        """Read a transaction, together with those that are asked for at the same time.

        Raises `NotFound`, `ResourceExhausted`, `Unavailable`.
        """
        found = await self._transactions.submit(transaction_id)
        if not found.transaction_id:
            raise NotFound(
                "TRANSACTION_NOT_FOUND",
                f"transaction {transaction_id} does not exist",
                {"transaction_id": transaction_id},
            )
        return found

    async def _read_transactions(
        self, transaction_ids: Sequence[str]
    ) -> Sequence[ledger_pb2.Transaction]:
        request = ledger_pb2.BatchGetTransactionsRequest(transaction_ids=transaction_ids)
        answer = await self._read(
            lambda: self._ledger.BatchGetTransactions(request, timeout=READ_TIMEOUT_S)
        )
        return answer.transactions

    async def transactions(
        self, request: ledger_pb2.ListTransactionsRequest
    ) -> ledger_pb2.ListTransactionsResponse:
        """List a wallet's transactions. Raises `InvalidArgument`, `NotFound`, `Unavailable`."""
        return await self._read(
            lambda: self._ledger.ListTransactions(request, timeout=READ_TIMEOUT_S)
        )

    async def profiles(self, wallet_ids: Sequence[str]) -> Mapping[str, Profile]:
        """Read what wallets are, by id; those that do not exist are left out.

        At most 1,000. Raises `Unavailable`.
        """
        request = wallet_pb2.BatchGetWalletsRequest(wallet_ids=wallet_ids)
        answer = await self._read(
            lambda: self._wallets.BatchGetWallets(request, timeout=READ_TIMEOUT_S)
        )
        return {each.wallet_id: wallet.profile_of(each) for each in answer.wallets}

    async def balances(self, wallet_id: str) -> Sequence[wallet_pb2.Balance]:
        """Read a wallet's balances. Raises `NotFound`, `Unavailable`."""
        request = wallet_pb2.GetBalancesRequest(wallet_id=wallet_id)
        answer = await self._read(
            lambda: self._wallets.GetBalances(request, timeout=READ_TIMEOUT_S)
        )
        return answer.balances

    async def _read(self, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        async with self._reads:
            return await self._call(attempt)

    async def _call(self, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
        """Try a call, and again while the Wallet is away and the budget lasts.

        A repeated posting is the same one: its plans carry their request ids.
        """
        for count in range(1, MAX_ATTEMPTS + 1):
            try:
                answer = await attempt()
            except grpc.aio.AioRpcError as failure:
                error = error_of(failure, "WALLET")
                if not self._may_retry(error, count):
                    raise error from None
            else:
                self._budget.deposit()
                return answer
            await asyncio.sleep(FIRST_BACKOFF_S * 2**count * random.uniform(0.5, 1.5))  # noqa: S311
        raise AssertionError("the last attempt returned or raised")

    def _may_retry(self, error: DomainError, count: int) -> bool:
        return isinstance(error, Unavailable) and count < MAX_ATTEMPTS and self._budget.withdraw()


def _batch_out(batch: Sequence[Plans]) -> ledger_pb2.PostBatchRequest:
    for number, each in enumerate(batch):
        if each.together:
            for plan in each.plans:
                plan.group_id = str(number)  # Of this call alone.
    return ledger_pb2.PostBatchRequest(
        plans=[plan for each in batch for plan in each.plans],
        view=ledger_pb2.TRANSACTION_VIEW_WALLETS,
    )


def _verdict(result: ledger_pb2.PlanResult) -> ledger_pb2.Transaction | DomainError:
    if result.HasField("transaction"):
        return result.transaction
    refusal = result.refusal
    violations = [FieldViolation(refusal.field, refusal.message)]
    return rebuilt(
        refusal.code, refusal.reason, refusal.message, dict(refusal.metadata), violations
    )
