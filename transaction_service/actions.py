"""What each action does, top to bottom: plan it, hold the wallet's lock, have it posted."""

from privy.wallet.v1 import ledger_pb2, wallet_pb2

from shared.errors import Aborted
from transaction_service import planning
from transaction_service.domain import (
    Action,
    CancelUsage,
    Charge,
    CommitUsage,
    Plan,
    Quote,
    TopUp,
    Transfer,
    Usage,
    VoidTransaction,
)
from transaction_service.locks import WalletLocks
from transaction_service.pricing.price_book import PriceBook, charge_for
from transaction_service.wallet_client import WalletClient

MAX_STALE_READS = 5


class Actions:
    """The front door's use cases.

    Each mutating one answers the transaction as the ledger booked it, durably, or raises the
    ledger's refusal; after a refusal nothing has moved. `Unavailable` leaves the outcome open:
    the same request may be repeated.
    """

    def __init__(self, price_book: PriceBook, locks: WalletLocks, wallet: WalletClient) -> None:
        self._price_book = price_book
        self._locks = locks
        self._wallet = wallet

    async def top_up(self, action: TopUp) -> ledger_pb2.Transaction:
        return await self._post(action, planning.plan_top_up(action))

    async def transfer(self, action: Transfer) -> ledger_pb2.Transaction:
        return await self._post(action, planning.plan_transfer(action))

    async def record_usage(self, action: Usage) -> ledger_pb2.Transaction:
        charged = self._charge(action)
        version = self._price_book.version
        return await self._post(action, planning.plan_usage(action.wallet_id, charged, version))

    async def book_usage(self, action: Usage) -> ledger_pb2.Transaction:
        charged = self._charge(action)
        version = self._price_book.version
        return await self._post(action, planning.plan_booking(action, charged, version))

    async def commit_usage(self, action: CommitUsage) -> ledger_pb2.Transaction:
        booking = await self._wallet.booking(action.booking_id)
        return await self._post(action, planning.plan_commit(booking, action.quantity))

    async def cancel_usage(self, action: CancelUsage) -> ledger_pb2.Transaction:
        booking = await self._wallet.booking(action.booking_id)
        return await self._post(action, planning.plan_cancellation(booking))

    async def void_transaction(self, action: VoidTransaction) -> ledger_pb2.Transaction:
        """Take a transaction back; read it again where somebody else voided some of it first."""
        for _ in range(MAX_STALE_READS):
            original = await self._wallet.original(action.transaction_id)
            try:
                return await self._post(action, planning.plan_void(original, action.amount))
            except Aborted as stale:
                refusal = stale
        raise refusal

    async def quote_usage(self, quote: Quote) -> tuple[Charge, str, wallet_pb2.Balance]:
        """Answer the charge, the price book's version, and the wallet's balance in its asset."""
        charged = self._charge(quote)
        asset_code = charged.price.asset_code
        for balance in await self._wallet.balances(quote.wallet_id):
            if balance.asset_code == asset_code:
                return charged, self._price_book.version, balance
        return charged, self._price_book.version, wallet_pb2.Balance(asset_code=asset_code)

    def _charge(self, usage: Usage | Quote) -> Charge:
        return charge_for(self._price_book, usage.product_code, usage.quantity)

    async def _post(self, action: Action, plan: Plan) -> ledger_pb2.Transaction:
        async with self._locks.hold(plan.wallet_id):
            return await self._wallet.post(action, plan)
