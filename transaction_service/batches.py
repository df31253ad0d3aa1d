"""Many actions in one posting: each planned as alone, all of them posted in one call."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from privy.wallet.v1 import ledger_pb2

from shared.errors import Aborted, DomainError, FailedPrecondition, NotFound, ResourceExhausted
from transaction_service.domain import Action, Batch, Item, Plan, Profile
from transaction_service.intents import Intent, Intents
from transaction_service.locks import WalletLocks
from transaction_service.posting import MAX_ATTEMPTS, REQUEST_UNKNOWN, VERSION_STALE
from transaction_service.profiles import Profiles
from transaction_service.wallet_client import WalletClient

GROUP_REFUSED = "GROUP_REFUSED"
MAX_ITEMS_UNDER_WAY = 10_000

Answer: TypeAlias = ledger_pb2.Transaction | DomainError


class _Planned(NamedTuple):
    """An action with its plan, or with why there is none for it as its wallet stands."""

    action: Action
    profile: Profile
    plan: Plan | DomainError


class Batches:
    def __init__(
        self, intents: Intents, profiles: Profiles, locks: WalletLocks, wallet: WalletClient
    ) -> None:
        self._intents = intents
        self._profiles = profiles
        self._locks = locks
        self._wallet = wallet
        self._items_under_way = 0

    async def execute(self, batch: Batch) -> list[Answer]:
        """Do a batch, and answer for each item in order, as it would have been answered alone.

        What was planned by something that others changed meanwhile is planned again: that item
        alone, or the whole batch where all or none is to be done. Raises `Unavailable` where the
        Wallet does not answer: then every outcome is open. Raises `ResourceExhausted` at once where
        too many items are under way.
        """
        if self._items_under_way + len(batch.items) > MAX_ITEMS_UNDER_WAY:
            raise ResourceExhausted("OVERLOADED", "too many batches are under way: try again later")
        self._items_under_way += len(batch.items)
        try:
            return await self._execute(batch)
        finally:
            self._items_under_way -= len(batch.items)

    async def _execute(self, batch: Batch) -> list[Answer]:
        answers = await self._attempt(batch)
        for _ in range(MAX_ATTEMPTS - 1):
            stale = [i for i, each in enumerate(answers) if isinstance(each, Aborted)]
            if not stale:
                break
            again = range(len(answers)) if batch.together else stale
            rest = Batch(tuple(batch.items[i] for i in again), batch.together)
            for i, answer in zip(again, await self._attempt(rest), strict=True):
                answers[i] = answer
        return answers

    async def _attempt(self, batch: Batch) -> list[Answer]:
        intents = await self._intents.of_all([item.asked for item in batch.items])
        sound = [each for each in intents if isinstance(each, Intent)]
        if batch.together and len(sound) < len(intents):
            return _refused_together(
                batch.items, [each if isinstance(each, DomainError) else None for each in intents]
            )
        posted = iter(await self._post(sound, together=batch.together))
        answers = [each if isinstance(each, DomainError) else next(posted) for each in intents]
        return _refused_together(batch.items, answers) if batch.together else answers

    async def _post(self, intents: Sequence[Intent], *, together: bool) -> list[Answer]:
        profiles = await self._profiles_of({each.wallet_id for each in intents})
        planned = [_plan(each, profiles[each.wallet_id]) for each in intents]
        asked = [
            (each.action, None if isinstance(each.plan, DomainError) else each.plan)
            for each in planned
        ]
        async with self._locks.hold_all(profiles):
            verdicts = await self._wallet.post_all(asked, together=together)
        self._forget_stale(planned, verdicts)
        for each in verdicts:
            if isinstance(each, ledger_pb2.Transaction):
                self._intents.learn(each)
        return [_answer(each, verdict) for each, verdict in zip(planned, verdicts, strict=True)]

    async def _profiles_of(self, wallet_ids: Iterable[str]) -> Mapping[str, Profile]:
        found = await asyncio.gather(*map(self._profiles.of, wallet_ids))
        return {each.wallet_id: each for each in found}

    def _forget_stale(self, planned: Sequence[_Planned], verdicts: Sequence[Answer]) -> None:
        for each, verdict in zip(planned, verdicts, strict=True):
            if isinstance(verdict, Aborted) and verdict.reason == VERSION_STALE:
                self._profiles.forget(each.profile)


def _plan(intent: Intent, profile: Profile) -> _Planned:
    try:
        return _Planned(intent.action, profile, intent.plan_for(profile))
    except DomainError as refusal:
        return _Planned(intent.action, profile, refusal)


def _answer(planned: _Planned, verdict: Answer) -> Answer:
    """Answer what could not be planned as at first, if it ever was answered."""
    never = isinstance(verdict, NotFound) and verdict.reason == REQUEST_UNKNOWN
    return planned.plan if never and isinstance(planned.plan, DomainError) else verdict


def _refused_together(items: Sequence[Item], answers: Sequence[Answer | None]) -> list[Answer]:
    """Refuse with the first item at fault those that the ledger was not asked for, or not as such.

    What has an answer of its own keeps it.
    """
    at_fault = next(
        (
            (item.request_id, each)
            for item, each in zip(items, answers, strict=True)
            if isinstance(each, DomainError) and each.reason != GROUP_REFUSED
        ),
        None,
    )
    if at_fault is None:
        return [each for each in answers if each is not None]
    others = _group_refused(*at_fault)
    return [others if each is None or _stands_in(each) else each for each in answers]


def _stands_in(answer: Answer) -> bool:
    """Say whether the ledger refused it for the want of another's first answer."""
    return isinstance(answer, DomainError) and (
        answer.metadata.get("group_reason") == REQUEST_UNKNOWN
    )


def _group_refused(request_id: str, refusal: DomainError) -> DomainError:
    return FailedPrecondition(
        GROUP_REFUSED,
        f"{request_id} of the same group was refused: {refusal.message}",
        {"request_id": request_id, "group_reason": refusal.reason},
    )
