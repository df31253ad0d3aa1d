"""Intents: actions with all that their plans are made of, but for what their wallets are."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from privy.wallet.v1 import ledger_pb2

from shared.errors import DomainError
from transaction_service import planning
from transaction_service.bookings import Bookings
from transaction_service.domain import (
    Action,
    Booking,
    BookUsage,
    CancelUsage,
    CommitUsage,
    Original,
    Plan,
    Profile,
    TopUp,
    Transfer,
    Usage,
    VoidTransaction,
)
from transaction_service.posting import Planning
from transaction_service.pricer import Pricer
from transaction_service.wallet_client import WalletClient

Subject: TypeAlias = Booking | Original | None
"""What an action is about, besides its wallet."""

_ABOUT_NOTHING_ELSE = frozenset({TopUp, Usage, BookUsage, Transfer})
"""Told by their type, since most actions are of these: asking pydantic's is dear."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An action, the wallet that it asks of, and how it is planned once that is known."""

    action: Action
    wallet_id: str
    plan_for: Planning


class Intents:
    def __init__(self, pricer: Pricer, bookings: Bookings, wallet: WalletClient) -> None:
        self._pricer = pricer
        self._bookings = bookings
        self._wallet = wallet

    async def of(self, action: Action) -> Intent:
        """Read what an action is about. Raises `NotFound`, `FailedPrecondition`, `Unavailable`."""
        return self._intent(action, await self._subject(action))

    async def of_all(self, actions: Sequence[Action | DomainError]) -> list[Intent | DomainError]:
        """Answer as `of` for each, or what it raises; errors stay as they are.

        Of several commits of one booking, each is made as if those before it were done.
        """
        subjects = await asyncio.gather(*(self._subject_or_error(each) for each in actions))
        bookings: dict[str, Booking] = {}
        intents: list[Intent | DomainError] = []
        for action, subject in zip(actions, subjects, strict=True):
            if isinstance(action, DomainError):
                intents.append(action)
            elif isinstance(subject, DomainError):
                intents.append(subject)
            else:
                intents.append(self._intent(action, _advanced(action, subject, bookings)))
        return intents

    def learn(self, posted: ledger_pb2.Transaction) -> None:
        """Remember of a posted transaction what actions may soon be about."""
        self._bookings.opened(posted)

    async def _subject_or_error(self, action: Action | DomainError) -> Subject | DomainError:
        if isinstance(action, DomainError):
            return action
        try:
            return await self._subject(action)
        except DomainError as refusal:
            return refusal

    async def _subject(self, action: Action) -> Subject:
        if type(action) in _ABOUT_NOTHING_ELSE:
            return None
        match action:
            case CommitUsage():
                return await self._bookings.to_commit(action.booking_id, action.quantity)
            case CancelUsage():
                return await self._bookings.to_cancel(action.booking_id)
            case VoidTransaction():
                return await self._wallet.original(action.transaction_id)
        raise TypeError(f"{type(action).__name__} is none of the front door's actions")

    def _intent(self, action: Action, subject: Subject) -> Intent:
        if subject is None:
            return self._plain_intent(action)
        match action, subject:
            case CommitUsage(), Booking():
                plan_for: Planning = partial(planning.plan_commit, action, subject)
            case CancelUsage(), Booking():
                plan_for = partial(planning.plan_cancellation, subject)
            case VoidTransaction(), Original():
                plan_for = partial(planning.plan_void, action, subject)
            case _:
                raise TypeError(f"{type(action).__name__} is not about that")
        return Intent(action, subject.wallet_id, plan_for)

    def _plain_intent(self, action: Action) -> Intent:
        match action:
            case BookUsage():
                return Intent(action, action.wallet_id, partial(self._plan_booking, action))
            case Usage():
                return Intent(action, action.wallet_id, partial(self._plan_usage, action))
            case TopUp():
                return Intent(action, action.wallet_id, partial(planning.plan_top_up, action))
            case Transfer():
                plan_for = partial(planning.plan_transfer, action)
                return Intent(action, action.source_wallet_id, plan_for)
        raise TypeError(f"{type(action).__name__} is about more than its wallet")

    def _plan_usage(self, action: Usage, wallet: Profile) -> Plan:
        return planning.plan_usage(wallet, *self._pricer.charge(action, wallet))

    def _plan_booking(self, action: BookUsage, wallet: Profile) -> Plan:
        return planning.plan_booking(action, wallet, *self._pricer.charge(action, wallet))


def _advanced(action: Action, subject: Subject, bookings: dict[str, Booking]) -> Subject:
    """Answer what an action is about, with what was committed before it in the same batch.

    `bookings` are noted as each leaves them.
    """
    if not (isinstance(action, CommitUsage) and isinstance(subject, Booking)):
        return subject
    booking = bookings.get(action.booking_id, subject)
    bookings[action.booking_id] = planning.once_committed(booking, action)
    return booking
