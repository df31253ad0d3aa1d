"""Where a wallet's spending comes from and how far it may go, as values. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

Period = Literal["TRANSACTION", "DAY", "WEEK", "MONTH"]


class Limit(NamedTuple):
    """The most that may be spent by a wallet and all below it together.

    An empty product stands for every one; days begin in the time zone.
    """

    wallet_id: int
    asset_code: str
    product_code: str
    period: Period
    limit_minor: int
    time_zone: str


class WindowKey(NamedTuple):
    """A limit's stretch of time: spending is counted by these."""

    wallet_id: int
    asset_code: str
    product_code: str
    period: Period
    starts_on: date


@dataclass(frozen=True, slots=True)
class Node:
    """What the ledger must know of a wallet to let it spend.

    `payers` are the wallets whose accounts may pay, in order; unless it `splits`, the first that
    has the whole amount pays. `limits` are its own and those of every wallet above it.
    """

    wallet_id: int
    version: int
    payers: tuple[int, ...]
    splits: bool
    limits: tuple[Limit, ...]
    state: str = "ACTIVE"


def window_of(limit: Limit, moment: datetime) -> WindowKey:
    """Answer the stretch of a limit, which is for no single transaction, that a time is in."""
    day = moment.astimezone(_zone(limit.time_zone)).date()
    wallet_id, asset_code, product_code, period, *_ = limit
    return WindowKey(wallet_id, asset_code, product_code, period, _start(period, day))


def start_of(limit: Limit, window: WindowKey) -> datetime:
    """Answer when a limit's stretch began."""
    return datetime.combine(window.starts_on, time(), _zone(limit.time_zone)).astimezone(UTC)


def _start(period: Period, day: date) -> date:
    if period == "WEEK":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "MONTH" else day


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
