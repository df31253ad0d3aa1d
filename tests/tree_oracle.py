"""Who pays in a tree of wallets and what their limits allow, in memory: a second opinion.

Written from docs/wallet-models.md, docs/ledger.md and the protos.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate, pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.tree_asks import Act, Limit, Shares, Tree

SPENDING = {"USAGE", "BOOKING"}
POSTED = {"USAGE": -1, "COMMIT": -1, "VOID": 1}
HELD = {"BOOKING": 1, "COMMIT": -1, "CANCELLATION": -1}


class Window(NamedTuple):
    """A limit's stretch of time."""

    wallet: str
    limit: Limit
    first_day: date


@dataclass
class Done:
    """What an act moved; who paid it, or of a booking still holds it; what was taken back."""

    minor: int
    shares: Shares
    back: int = 0
    windows: Sequence[Window] = ()

    @property
    def left(self) -> int:
        return sum(self.shares.values()) - self.back


class TreeOracle:
    def __init__(self, tree: Tree, funds: Mapping[str, int]) -> None:
        self.tree = tree
        self.posted, self.held, self.spent = Counter(funds), Counter[str](), Counter[Window]()
        self.done: dict[str, Done] = {}

    def decide(self, act: Act, now: datetime) -> str | Shares:
        """Carry an act out and answer who pays, or why not; the first reason counts."""
        if reason := self._unfit(act):
            return reason
        if self.passed(act, now):
            return "SPENDING_LIMIT_EXCEEDED"
        if isinstance(answer := self.pay(act), dict):
            self.count(act, now)
        return answer

    def pay(self, act: Act) -> str | Shares:
        """Move what an act moves, whatever the limits say; answer whose it is, or why not."""
        if reason := self._unfit(act):
            return reason
        if not (shares := self._shares(act)):
            return "INSUFFICIENT_FUNDS"
        for wallet, minor in shares.items():
            self.posted[wallet] += POSTED.get(act.kind, 0) * minor
            self.held[wallet] += HELD.get(act.kind, 0) * minor
        if act.kind == "VOID":
            self.done[act.of].back += sum(shares.values())
        elif about := self.done.get(act.of):
            about.shares = {each: about.shares[each] - shares.get(each, 0) for each in about.shares}
        self.done[act.name] = Done(sum(shares.values()), shares)
        return shares

    def passed(self, act: Act, now: datetime) -> list[Window]:
        """Answer the limits that an act would pass; what is booked counts when it is."""
        windows = self._windows(act, now) if act.kind in SPENDING else []
        return [each for each in windows if self.spent[each] + act.minor > each.limit.minor]

    def count(self, act: Act, now: datetime) -> None:
        """Count what was spent, or give it back where it counted; a booking's commit changes none.

        Windows of single transactions stay empty.
        """
        done, about = self.done[act.name], self.done.get(act.of)
        done.windows = about.windows if about else self._windows(act, now)
        sign = {"COMMIT": 0, "CANCELLATION": -1, "VOID": -1}.get(act.kind, 1)
        for window in done.windows:
            self.spent[window] += sign * done.minor * (window.limit.period != "TRANSACTION")

    def _unfit(self, act: Act) -> str:
        about = self.done.get(act.of)
        if not about or 0 < about.left >= act.minor:
            return ""
        if act.kind == "VOID":
            return "VOID_EXCEEDED"
        return "BOOKING_EXCEEDED" if about.left else "BOOKING_CLOSED"

    def _shares(self, act: Act) -> Shares:
        """Answer whose money it is about; nobody's where those who may pay cannot."""
        about = self.done.get(act.of)
        if about and act.kind == "VOID":
            before = _in_part(about.shares, about.back)
            after = _in_part(about.shares, about.back + (act.minor or about.left))
            return {
                each: after[each] - before[each] for each in after if after[each] > before[each]
            }
        if about:
            return _taken_first(about.shares, act.minor or about.left)
        free = {each: self.posted[each] - self.held[each] for each in self._payers(act.wallet)}
        if self.tree[act.wallet].source == "OWN_THEN_ANCESTORS":
            return _taken_first(free, act.minor) if sum(free.values()) >= act.minor else {}
        return next(({each: act.minor} for each in free if free[each] >= act.minor), {})

    def _payers(self, wallet: str) -> Sequence[str]:
        """Answer who may pay: an enterprise's nodes are one customer, a reseller is its own."""
        types = {each: self.tree[each].type for each in self.path(wallet)}
        above = [each for each in types if {types[wallet], types[each]} == {"ENTERPRISE"}][1:]
        source = self.tree[wallet].source
        if source == "OWN_THEN_ANCESTORS":
            return [wallet, *above]
        return above if source == "NEAREST_ANCESTOR" and above else [wallet]

    def path(self, wallet: str) -> Iterator[str]:
        """Answer a wallet and those above it, the nearest first."""
        while wallet:
            yield wallet
            wallet = self.tree[wallet].parent

    def _windows(self, act: Act, now: datetime) -> list[Window]:
        return [
            Window(wallet, limit, first_day(limit.period, now, self.tree[wallet].zone))
            for wallet in self.path(act.wallet)
            for limit in self.tree[wallet].limits
            if limit.product in {"", act.product}
        ]


def first_day(period: str, now: datetime, zone: str) -> date:
    day = now.astimezone(ZoneInfo(zone)).date()
    return day.replace(day=1) if period == "MONTH" else day


def _taken_first(free: Shares, minor: int) -> Shares:
    """Take from the first as far as it goes, then from the next."""
    sums = pairwise([0, *(min(each, minor) for each in accumulate(free.values()))])
    return {wallet: b - a for wallet, (a, b) in zip(free, sums, strict=True) if b > a}


def _in_part(shares: Shares, minor: int) -> Shares:
    """Part what came back in proportion: each one's sum with those before it is rounded down."""
    whole = sum(shares.values())
    sums = pairwise([0, *(each * minor // whole for each in accumulate(shares.values()))])
    return {wallet: b - a for wallet, (a, b) in zip(shares, sums, strict=True)}
