"""A company, and the friend: quota, and a bonus that runs out."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from devstack.demo.desk import Booked, Desk

BONUS_LIFETIME = timedelta(seconds=3)
BREAKAGE_DEADLINE_S = 30.0
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Quota:
    """A company has bought units, and spends those."""

    top_up: Booked
    usage: Booked

    def booked(self) -> tuple[Booked, ...]:
        return (self.top_up, self.usage)


@dataclass(frozen=True, slots=True)
class Bonus:
    """The friend is given a bonus, and uses some of it before it expires."""

    top_up: Booked
    usage: Booked


@dataclass(frozen=True, slots=True)
class SpentBonus:
    """What came of a bonus in the end."""

    bonus: Bonus
    breakage: Booked

    def booked(self) -> tuple[Booked, ...]:
        return (self.bonus.top_up, self.bonus.usage, self.breakage)


async def spend_quota(desk: Desk, company: str) -> Quota:
    return Quota(
        top_up=await desk.top_up("package-1", company, "ESIGN", 100),
        usage=await desk.use("sign-2", company, "ESIGN_DOCUMENT_QUOTA", 8),
    )


async def give_bonus(desk: Desk, friend: str) -> Bonus:
    expires_at = datetime.now(UTC) + BONUS_LIFETIME
    return Bonus(
        top_up=await desk.give_bonus("bonus-1", friend, "IDR", 300_000, expires_at),
        usage=await desk.use("call-2", friend, "API_CALL", 20),
    )


async def see_bonus_expire(desk: Desk, friend: str, bonus: Bonus) -> SpentBonus:
    """Wait until the ledger has booked the breakage; raises `TimeoutError` after 30 s."""
    async with asyncio.timeout(BREAKAGE_DEADLINE_S):
        while True:
            if breakage := await desk.breakage_of(friend):
                return SpentBonus(bonus, breakage)
            await asyncio.sleep(POLL_S)
