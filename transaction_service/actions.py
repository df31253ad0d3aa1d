"""What the front door does for one action: learn what it is about, plan it, have it posted."""

from dataclasses import replace

from privy.wallet.v1 import ledger_pb2, wallet_pb2

from shared.idempotency import digest
from transaction_service import planning
from transaction_service.domain import MAX_REQUEST_ID, Action, Quote, Quoted
from transaction_service.intents import Intents
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
        self,
        intents: Intents,
        pricer: Pricer,
        profiles: Profiles,
        posting: Posting,
        wallet: WalletClient,
    ) -> None:
        self._intents = intents
        self._pricer = pricer
        self._profiles = profiles
        self._posting = posting
        self._wallet = wallet

    async def execute(self, action: Action) -> ledger_pb2.Transaction:
        """Do an action; read what it is about again where somebody else was faster."""
        return await while_stale(lambda: self._execute_once(action))

    async def _execute_once(self, action: Action) -> ledger_pb2.Transaction:
        intent = await self._intents.of(action)
        posted = await self._posting.attempt(action, intent.wallet_id, intent.plan_for)
        self._intents.learn(posted)
        return posted

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
