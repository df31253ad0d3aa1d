"""What an enterprise does with its balance: down and up its tree, added to, extended."""

import asyncio
from collections.abc import Callable
from functools import partial

from privy.wallet.v1 import ledger_pb2

from transaction_service import planning
from transaction_service.domain import ExtendBalance, MoveBalance, Plan, Profile, TopUp
from transaction_service.posting import Posting
from transaction_service.profiles import Profiles


class Enterprise:
    """Each use case answers as those of `Actions` do, and raises what they raise."""

    def __init__(self, profiles: Profiles, posting: Posting) -> None:
        self._profiles = profiles
        self._posting = posting

    async def assign(self, action: MoveBalance) -> ledger_pb2.Transaction:
        return await self._move(action, planning.plan_assignment)

    async def unassign(self, action: MoveBalance) -> ledger_pb2.Transaction:
        return await self._move(action, planning.plan_unassignment)

    async def add_on(self, action: TopUp) -> ledger_pb2.Transaction:
        plan = partial(planning.plan_top_up, action)
        return await self._posting.post(action, action.wallet_id, plan)

    async def extend(self, action: ExtendBalance) -> ledger_pb2.Transaction:
        plan = partial(planning.plan_extension, action)
        return await self._posting.post(action, action.wallet_id, plan)

    async def _move(
        self, action: MoveBalance, plan_move: Callable[[MoveBalance, Profile, Profile], Plan]
    ) -> ledger_pb2.Transaction:
        # Both are read anew: the ledger compares the giving wallet's version only, and that with
        # the one that the caller says, if it says one; then there is no point in trying again.
        target, _ = await asyncio.gather(
            self._profiles.read(action.target_wallet_id), self._profiles.read(action.wallet_id)
        )
        post = self._posting.attempt if action.wallet_version else self._posting.post
        return await post(action, action.wallet_id, partial(plan_move, action, target))
