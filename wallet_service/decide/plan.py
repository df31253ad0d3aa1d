"""A transaction to post, as a value. Amounts are minor units, debits positive."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeAlias

HOUSE = 0
"""The wallet id of the house's own accounts."""

WALLET = "WALLET"
"""The account type of a wallet's accounts; every other type is the house's."""

MAX_AMOUNT_MINOR = 10**17
MAX_LEGS = 32


class AccountKey(NamedTuple):
    """An account as a plan names it; which stripe of a house account is the store's choice."""

    wallet_id: int
    account_type: str
    asset_code: str


class Leg(NamedTuple):
    """What a plan does to one account: a signed amount, and a change of what is held."""

    key: AccountKey
    amount_minor: int
    held_change_minor: int = 0


class Spend(NamedTuple):
    """What the plan's wallet pays, or sets aside: who pays is found by its policy."""

    asset_code: str
    amount_minor: int
    product_code: str


@dataclass(frozen=True, slots=True)
class OpenHold:
    """Sets money of the plan's wallet aside or, where the plan spends, of those who pay."""

    key: AccountKey
    amount_minor: int
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaptureHold:
    """Takes what the plan spends, for so many units, from a booking.

    Of it `quantity_before` units must have been taken before, unless that is None.
    """

    booking_id: int
    quantity: int = 0
    quantity_before: int | None = None


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Sets free whatever a booking still holds."""

    booking_id: int


AnyHold: TypeAlias = OpenHold | CaptureHold | ReleaseHold


@dataclass(frozen=True, slots=True)
class VoidOf:
    """Takes so much of a transaction back; all that is left of it if 0."""

    transaction_id: int
    amount_minor: int


class LotId(NamedTuple):
    """The transaction that added a lot, and a number; the older lot is the smaller id."""

    transaction_id: int
    lot_index: int


class LotTerms(NamedTuple):
    """What tells a part of a balance apart; the lower priority is drawn first."""

    kind: str
    priority: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class BreakLot:
    """Makes what is free of an expired lot the house's; it must be as much as was read."""

    key: AccountKey
    lot_id: LotId
    amount_minor: int


@dataclass(frozen=True, slots=True)
class ExtendLot:
    """Gives what is free of a lot a later expiry."""

    key: AccountKey
    lot_id: LotId
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """A transaction to post: each account in at most one leg.

    The legs sum to zero for each asset or, where the plan spends, to minus what it spends. A void
    has none: they are made under the locks. `wallet_version` is the version of the wallet that it
    was made for; 0 asks for no check. With `replay_only` it asks for its first verdict again, and
    is nothing else.
    """

    request_id: str
    request_digest: bytes
    body_digest: bytes
    kind: str
    wallet_id: int
    legs: tuple[Leg, ...] = ()
    hold: AnyHold | None = None
    effective_at: datetime | None = None
    reference: str = ""
    metadata_json: str = "{}"
    price_book_version: str = ""
    charges_json: str = "[]"
    event: bytes | None = None
    traceparent: str = ""
    validate_only: bool = False
    void_of: VoidOf | None = None
    lot: LotTerms | None = None
    break_lot: BreakLot | None = None
    extend_lot: ExtendLot | None = None
    spend: Spend | None = None
    wallet_version: int = 0
    replay_only: bool = False
    exchange_rate_json: str = ""

    @property
    def needs_node(self) -> bool:
        """Whether the plan's wallet itself must be known, besides accounts."""
        return bool(
            self.spend or self.void_of or self.wallet_version or isinstance(self.hold, _OF_BOOKINGS)
        )

    @property
    def booking_id(self) -> int | None:
        """The booking that it takes from, or sets free."""
        return self.hold.booking_id if isinstance(self.hold, _OF_BOOKINGS) else None


_OF_BOOKINGS = (CaptureHold, ReleaseHold)
