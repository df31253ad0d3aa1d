"""What is asked of a ledger and what it replies, in words that know no ids.

Transactions, bookings and lots go by the request ids that made them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

NEVER = datetime.max.replace(tzinfo=UTC)

Account = tuple[str, str, str]
"""Whose it is (empty for the house), its type, its asset."""

Purse = tuple[str, str]
"""A wallet and an asset."""

Legs = tuple[tuple[Account, int], ...]

Balance = tuple[int, int, int, int]
"""Posted, held, available, credit limit."""


@dataclass(frozen=True)
class Terms:
    kind: str = "PLAIN"
    priority: int = 100
    expires_at: datetime = NEVER


PLAIN = Terms()


@dataclass(frozen=True)
class Ask:
    """A plan, or a change of a wallet: FREEZE, UNFREEZE, CLOSE, or CREDIT for a new limit.

    `minor` is what it moves or holds on the wallet, or the limit; `of` names the booking, the
    voided transaction or the lot that it is about.
    """

    request_id: str
    kind: str
    wallet: str
    asset: str = "IDR"
    legs: Legs = ()
    minor: int = 0
    of: str = ""
    number: int = 0
    terms: Terms = PLAIN
    expires_at: datetime = NEVER
    effective_at: datetime = NEVER
    validate_only: bool = False

    def purses(self) -> dict[Purse, int]:
        """Answer what is touched, and how much of it is debited, credited (negative), or held."""
        moved = {(wallet, asset): minor for (wallet, _, asset), minor in self.legs if wallet}
        return moved or {(self.wallet, self.asset): self.minor if self.kind == "BOOKING" else 0}

    def wallets(self) -> set[str]:
        return {self.wallet, *(wallet for wallet, _ in self.purses())}

    def assets(self) -> set[str]:
        """Answer the assets that are named; what ends or undoes something else names none."""
        own = set[str]() if self.kind in {"CANCELLATION", "EXPIRATION", "VOID"} else {self.asset}
        return own | {asset for (_, _, asset), _ in self.legs}


@dataclass
class Reply:
    """The reason of a refusal; or what the wallets hold after it."""

    reason: str = ""
    balances: dict[Purse, Balance] = field(default_factory=dict)


def purse(wallet: str, asset: str) -> Account:
    return wallet, "WALLET", asset


def house(account_type: str, asset: str = "IDR") -> Account:
    return "", account_type, asset


def top_up(request_id: str, wallet: str, asset: str, minor: int, terms: Terms = PLAIN) -> Ask:
    legs = (house("FUNDING", asset), minor), (purse(wallet, asset), -minor)
    return Ask(request_id, "TOP_UP", wallet, asset, legs, minor, terms=terms)


def usage(request_id: str, wallet: str, asset: str, minor: int, cost: int = 0) -> Ask:
    """A usage is paid in any asset; its vendor is paid in a currency."""
    price = (purse(wallet, asset), minor), (house("REVENUE", asset), -minor)
    bought = (house("VENDOR_COST"), cost), (house("VENDOR_PAYABLE"), -cost)
    return Ask(request_id, "USAGE", wallet, asset, (*price, *bought) if cost else price, minor)


def transfer(request_id: str, source: str, target: str, asset: str, minor: int) -> Ask:
    legs = (purse(source, asset), minor), (purse(target, asset), -minor)
    return Ask(request_id, "TRANSFER", source, asset, legs, minor)


def booking(request_id: str, wallet: str, asset: str, minor: int, expires_at: datetime) -> Ask:
    return Ask(request_id, "BOOKING", wallet, asset, minor=minor, expires_at=expires_at)


def commit(request_id: str, booked: Ask, minor: int, cost: int = 0) -> Ask:
    ask = usage(request_id, booked.wallet, booked.asset, minor, cost)
    return replace(ask, kind="COMMIT", of=booked.request_id)


def release(request_id: str, booked: Ask, kind: str = "CANCELLATION") -> Ask:
    return Ask(request_id, kind, booked.wallet, booked.asset, of=booked.request_id)


def breakage(request_id: str, wallet: str, asset: str, minor: int, lot: tuple[str, int]) -> Ask:
    legs = (purse(wallet, asset), minor), (house("BREAKAGE", asset), -minor)
    return Ask(request_id, "BREAKAGE", wallet, asset, legs, minor, *lot)


def void(request_id: str, original: Ask, minor: int) -> Ask:
    """Take so much back of what was done; all that is left of it if 0."""
    wallet, asset = original.wallet, original.asset
    return Ask(request_id, "VOID", wallet, asset, minor=minor, of=original.request_id)


def taken_back(original: Ask, before: int, minor: int) -> Legs:
    """Answer the legs that take so much back, where `before` was taken back up to now."""
    legs, whole = original.legs, original.minor
    then, now = _shares(legs, whole, before), _shares(legs, whole, before + minor)
    back = [(account, done - due) for (account, _), done, due in zip(legs, then, now, strict=True)]
    return tuple(leg for leg in back if leg[1])


def _shares(legs: Legs, whole: int, part: int) -> Sequence[int]:
    """Each leg in proportion, rounded down; an asset's last one takes what rounding leaves."""
    shares = [abs(minor) * part // whole * (1 if minor > 0 else -1) for _, minor in legs]
    for asset in {asset for (_, _, asset), _ in legs}:
        places = [i for i, ((_, _, other), _) in enumerate(legs) if other == asset]
        shares[places[-1]] = -sum(shares[i] for i in places[:-1])
    return shares


def part_of(left: int, part: int) -> int:
    """Answer so much; or if `part` is not positive, all that is left and so much more."""
    return part if part > 0 else max(left - part, 1)
