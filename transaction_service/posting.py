"""Has plans posted: made for the wallet as it stands, under its lease, and again where stale."""

from collections.abc import Awaitable, Callable

from privy.wallet.v1 import ledger_pb2

from shared.errors import Aborted, DomainError, FailedPrecondition, NotFound
from transaction_service.domain import Action, Plan, Profile
from transaction_service.locks import WalletLocks
from transaction_service.profiles import Profiles
from transaction_service.wallet_client import WalletClient

MAX_ATTEMPTS = 5
VERSION_STALE = "VERSION_STALE"
REQUEST_UNKNOWN = "REQUEST_UNKNOWN"
UNPAID = frozenset({"INSUFFICIENT_FUNDS", "SPENDING_LIMIT_EXCEEDED", "WALLET_FROZEN"})
"""Why a usage may not be paid."""

Planning = Callable[[Profile], Plan]


class Posting:
    def __init__(self, profiles: Profiles, locks: WalletLocks, wallet: WalletClient) -> None:
        self._profiles = profiles
        self._locks = locks
        self._wallet = wallet

    async def post(
        self, action: Action, wallet_id: str, plan_for: Planning
    ) -> ledger_pb2.Transaction:
        """Have posted what `plan_for` plans; plan again where the wallet was changed meanwhile.

        Answers the transaction as booked, durably. Raises the ledger's refusal, and whatever
        `plan_for` raises.
        """
        return await while_stale(lambda: self.attempt(action, wallet_id, plan_for))

    async def attempt(
        self, action: Action, wallet_id: str, plan_for: Planning
    ) -> ledger_pb2.Transaction:
        """Do as `post`, once: raises `Aborted` where the wallet was changed meanwhile."""
        profile = await self._profiles.of(wallet_id)
        try:
            plan = plan_for(profile)
        except DomainError as refusal:
            return await self._answered_before(action, refusal)
        try:
            async with self._locks.hold(wallet_id):
                return await self._wallet.post(action, plan)
        except Aborted as stale:
            if stale.reason == VERSION_STALE:
                self._profiles.forget(profile)
            raise

    async def would_pass(self, action: Action, plan: Plan) -> bool:
        """Say whether a plan that only asks for validation could be paid, within all limits.

        Raises any other refusal.
        """
        try:
            await self._wallet.post(action, plan)
        except FailedPrecondition as refusal:
            if refusal.reason in UNPAID:
                return False
            raise
        return True

    async def _answered_before(
        self, action: Action, refusal: DomainError
    ) -> ledger_pb2.Transaction:
        """Answer a repeated request as at first, whatever it would be planned to by now.

        Raises `refusal` for one that was never answered.
        """
        try:
            return await self._wallet.replay(action)
        except NotFound as unknown:
            if unknown.reason == REQUEST_UNKNOWN:
                raise refusal from None
            raise


async def while_stale(
    attempt: Callable[[], Awaitable[ledger_pb2.Transaction]],
) -> ledger_pb2.Transaction:
    """Repeat an attempt, which reads anew, while others are faster; give up after a few."""
    for _ in range(MAX_ATTEMPTS - 1):
        try:
            return await attempt()
        except Aborted:
            continue
    return await attempt()
