"""The whole story, act by act."""

from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from privy.wallet.v1 import wallet_pb2

from devstack.demo.acts import company, enterprise, personal, reseller, slip
from devstack.demo.acts.company import Quota, SpentBonus
from devstack.demo.acts.enterprise import Branches
from devstack.demo.acts.personal import BookedUsage, Mistake, Repeats, Sharing, Spending
from devstack.demo.acts.reseller import Resale
from devstack.demo.cast import Cast, open_wallets
from devstack.demo.desk import Booked, Desk
from devstack.demo.prices import publish_resale


@dataclass(frozen=True, slots=True)
class Story:
    cast: Cast
    spending: Spending
    repeats: Repeats
    booked_usage: BookedUsage
    sharing: Sharing
    mistake: Mistake
    quota: Quota
    branches: Branches
    resale: Resale
    bonus: SpentBonus
    slip: Booked
    balances: Mapping[str, tuple[wallet_pb2.Balance, ...]]
    """What each wallet, by its id, holds at the end."""

    def booked(self) -> tuple[Booked, ...]:
        """Give every accepted action."""
        return (
            *self.spending.booked(),
            *self.repeats.booked(),
            *self.booked_usage.booked(),
            *self.sharing.booked(),
            *self.mistake.booked(),
            *self.quota.booked(),
            *self.branches.booked(),
            *self.resale.booked(),
            *self.bonus.booked(),
            self.slip,
        )

    def movements(self) -> tuple[Booked, ...]:
        """Give those that moved money, and not only set it aside or free."""
        return tuple(each for each in self.booked() if each.moves)


async def play(desk: Desk, transaction: grpc.aio.Channel) -> Story:
    """Have the whole story happen.

    The prices of a reseller hold 5 s after they are published, so they are published first.
    Raises `grpc.aio.AioRpcError` where it cannot go on, and `TimeoutError` where it waits in vain.
    """
    cast = await open_wallets(desk)
    await publish_resale(transaction, cast.reseller.wallet_id)
    person, friend = cast.person.wallet_id, cast.friend.wallet_id
    spending = await personal.spend(desk, person)
    repeats = await personal.repeat(desk, person)
    booked_usage = await personal.book_and_commit(desk, person)
    sharing = await personal.share(desk, person, friend)
    mistake = await personal.take_back(desk, person, friend)
    bonus = await company.give_bonus(desk, friend)
    return Story(
        cast=cast,
        spending=spending,
        repeats=repeats,
        booked_usage=booked_usage,
        sharing=sharing,
        mistake=mistake,
        quota=await company.spend_quota(desk, cast.company.wallet_id),
        branches=await enterprise.use_tree(desk, cast),
        slip=await slip.post_slip(desk, person),
        resale=await reseller.resell(desk, cast),
        bonus=await company.see_bonus_expire(desk, friend, bonus),
        balances={
            each.wallet_id: tuple(await desk.balances(each.wallet_id)) for each in cast.wallets()
        },
    )
