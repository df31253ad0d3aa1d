"""What each action does, top to bottom: price it, plan it, have it posted."""

from dataclasses import replace
from functools import partial

from privy.wallet.v1 import ledger_pb2, wallet_pb2

from shared.idempotency import digest
from transaction_service import planning
from transaction_service.domain import (
    MAX_REQUEST_ID,
    Action,
    CancelUsage,
    CommitUsage,
    Plan,
    Profile,
    Quote,
    Quoted,
    TopUp,
    Transfer,
    Usage,
    VoidTransaction,
)
from transaction_service.posting import Posting, while_stale
from transaction_service.pricer import Pricer
from transaction_service.profiles import Profiles
from transaction_service.wallet_client import WalletClient


class Actions:
    """The front door's use cases.

    Each mutating one answers the transaction as the ledger booked it, durably, or raises the
    ledger's refusal; after a refusal nothing has moved. `Unavailable` leaves the outcome open:
    the same request may be repeated.
    """

    def __init__(
        self, pricer: Pricer, profiles: Profiles, posting: Posting, wallet: WalletClient
    ) -> None:
        self._pricer = pricer
        self._profiles = profiles
        self._posting = posting
        self._wallet = wallet

    async def top_up(self, action: TopUp) -> ledger_pb2.Transaction:
        plan = partial(planning.plan_top_up, action)
        return await self._posting.post(action, action.wallet_id, plan)

    async def transfer(self, action: Transfer) -> ledger_pb2.Transaction:
        plan = partial(planning.plan_transfer, action)
        return await self._posting.post(action, action.source_wallet_id, plan)

    async def record_usage(self, action: Usage) -> ledger_pb2.Transaction:
        def plan(wallet: Profile) -> Plan:
            return planning.plan_usage(wallet, *self._pricer.charge(action, wallet))

        return await self._posting.post(action, action.wallet_id, plan)

    async def book_usage(self, action: Usage) -> ledger_pb2.Transaction:
        def plan(wallet: Profile) -> Plan:
            return planning.plan_booking(action, wallet, *self._pricer.charge(action, wallet))

        return await self._posting.post(action, action.wallet_id, plan)

    async def commit_usage(self, action: CommitUsage) -> ledger_pb2.Transaction:
        """Take some of a booking; read it again where somebody else took some of it first."""
        return await while_stale(lambda: self._commit_once(action))

    async def _commit_once(self, action: CommitUsage) -> ledger_pb2.Transaction:
        booking = await self._wallet.booking(action.booking_id)
        plan = partial(planning.plan_commit, action, booking)
        return await self._posting.attempt(action, booking.wallet_id, plan)

    async def cancel_usage(self, action: CancelUsage) -> ledger_pb2.Transaction:
        booking = await self._wallet.booking(action.booking_id)
        plan = partial(planning.plan_cancellation, booking)
        return await self._posting.post(action, booking.wallet_id, plan)

    async def void_transaction(self, action: VoidTransaction) -> ledger_pb2.Transaction:
        original = await self._wallet.original(action.transaction_id)
        plan = partial(planning.plan_void, action, original)
        return await self._posting.post(action, original.wallet_id, plan)

    async def quote_usage(self, quote: Quote) -> tuple[Quoted, wallet_pb2.Balance]:
        """Answer what would be charged, the balance in its asset, and whether it can be paid."""
        wallet = await self._profiles.of(quote.wallet_id)
        quoted = self._pricer.quote(quote, wallet)
        balances = {each.asset_code: each for each in await self._wallet.balances(quote.wallet_id)}
        asset_code = quoted.charge.price.asset_code
        balance = balances.get(asset_code) or wallet_pb2.Balance(asset_code=asset_code)
        plan = planning.plan_usage(
            replace(wallet, version=0), quoted.charge, quoted.price_book_version
        )
        sufficient_funds = await self._posting.would_pass(_trial(quoted), plan)
        return replace(quoted, sufficient_funds=sufficient_funds), balance


def _trial(quoted: Quoted) -> Action:
    """Ask for validation only, under a request id that nobody else has."""
    return Action(
        request_id=quoted.quote_id[-MAX_REQUEST_ID:],
        reference="",
        effective_at=None,
        metadata={},
        validate_only=True,
        body_digest=digest(quoted.quote_id.encode()),
        traceparent="",
    )
