"""The words of the ledger as values. Amounts are minor units, debits positive."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from wallet_service import ids
from wallet_service.errors import Refusal

HOUSE = 0
"""The wallet id of the house's own accounts."""

WALLET = "WALLET"
"""The account type of a wallet's accounts; every other type is the house's."""

MAX_AMOUNT_MINOR = 10**17
MAX_BALANCE_MINOR = 10**18
MAX_LEGS = 32
MAX_OPEN_LOTS = 1000


class AccountKey(NamedTuple):
    """An account as a plan names it; which stripe of a house account is the store's choice."""

    wallet_id: int
    account_type: str
    asset_code: str


class Leg(NamedTuple):
    key: AccountKey
    amount_minor: int


@dataclass(frozen=True, slots=True)
class OpenHold:
    key: AccountKey
    amount_minor: int
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaptureHold:
    key: AccountKey
    booking_id: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    key: AccountKey
    booking_id: int


@dataclass(frozen=True, slots=True)
class VoidOf:
    """Takes `amount_minor` of a transaction back, of which so much was taken back before."""

    key: AccountKey
    transaction_id: int
    amount_minor: int
    voided_before_minor: int


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
class Plan:
    """A transaction to post; balanced, each account at most once."""

    request_id: str
    request_digest: bytes
    body_digest: bytes
    kind: str
    wallet_id: int
    legs: tuple[Leg, ...]
    hold: OpenHold | CaptureHold | ReleaseHold | None
    effective_at: datetime | None
    reference: str
    metadata_json: str
    price_book_version: str
    charges_json: str
    event: bytes | None
    traceparent: str
    validate_only: bool
    void_of: VoidOf | None = None
    lot: LotTerms | None = None
    break_lot: BreakLot | None = None
    exchange_rate_json: str = ""
    accounts: tuple[AccountKey, ...] = field(init=False)
    """Every account that the plan touches."""

    def __post_init__(self) -> None:
        keys = tuple([leg.key for leg in self.legs])
        if self.hold is not None and self.hold.key not in keys:
            keys = (*keys, self.hold.key)
        object.__setattr__(self, "accounts", keys)


@dataclass(slots=True)
class Account:
    """An account under its row lock; `balance_minor` is the signed sum of its entries.

    `lots` holds all of its `open_lots`, those that still hold something, and whatever else a plan
    may give something back to.
    """

    account_id: int
    balance_minor: int
    held_minor: int
    last_transaction_id: int
    credit_limit_minor: int = 0
    open_lots: int = 0
    wallet_state: str = "ACTIVE"
    lots: "dict[LotId, Lot]" = field(default_factory=dict)

    @property
    def free_minor(self) -> int:
        """What is booked and not set aside; below zero where it is owed."""
        return -self.balance_minor - self.held_minor

    @property
    def available_minor(self) -> int:
        """What a wallet's account is free to spend, expired lots included."""
        return self.credit_limit_minor + self.free_minor

    def copy(self) -> "Account":
        return replace(self, lots={lot_id: replace(lot) for lot_id, lot in self.lots.items()})


@dataclass(frozen=True, slots=True)
class Hold:
    """A booking's money, under its account's row lock."""

    booking_id: int
    account_id: int
    amount_minor: int
    captured_minor: int
    released_minor: int
    expires_at: datetime | None = None
    expired: bool = False
    lots: "Mapping[LotId, int]" = field(default_factory=dict)
    """How much of what remains is on which lot."""

    @property
    def remaining_minor(self) -> int:
        return self.amount_minor - self.captured_minor - self.released_minor


@dataclass(frozen=True, slots=True)
class Voidable:
    """A transaction that may be taken back, under its wallet's row lock.

    `amount_minor` is its signed leg on the wallet's account, `lot_entries` how much of that was
    on which lots; `voided_minor` counts from zero up to its size.
    """

    transaction_id: int
    kind: str
    account_id: int
    amount_minor: int
    voided_minor: int
    lot_entries: "tuple[LotEntry, ...]" = ()

    @property
    def remaining_minor(self) -> int:
        return abs(self.amount_minor) - self.voided_minor


@dataclass(slots=True)
class Lot:
    """A part of an account's balance with terms of its own, under the account's row lock.

    Seen from the customer: 0 <= `held_minor` <= `remaining_minor` <= `amount_minor`.
    """

    lot_id: LotId
    account_id: int
    terms: LotTerms
    amount_minor: int
    remaining_minor: int
    held_minor: int
    last_transaction_id: int

    @property
    def free_minor(self) -> int:
        return self.remaining_minor - self.held_minor


class OpenedLot(NamedTuple):
    """A lot as it was added; what is left of it is another matter."""

    lot_id: LotId
    account_id: int
    terms: LotTerms
    amount_minor: int


class LotEntry(NamedTuple):
    """How much of an entry was on a lot; debits positive, as in the entry."""

    lot_id: LotId
    amount_minor: int
    held_change_minor: int


class Entry(NamedTuple):
    """One leg as booked."""

    key: AccountKey
    account_id: int
    amount_minor: int
    held_change_minor: int
    balance_after_minor: int
    held_after_minor: int
    credit_limit_minor: int
    lot_entries: tuple[LotEntry, ...] = ()


class Transaction(NamedTuple):
    """A transaction as booked.

    `held_remaining_minor` is what its booking still held when this value was made: right after
    it for a verdict, now for a reading. `captured_minor` likewise is what had been taken.
    """

    transaction_id: int
    kind: str
    wallet_id: int
    booking_id: int | None
    request_id: str
    reference: str
    metadata_json: str
    price_book_version: str
    charges_json: str
    recorded_at: datetime
    effective_at: datetime
    entries: tuple[Entry, ...]
    held_remaining_minor: int = 0
    captured_minor: int = 0
    voids_transaction_id: int | None = None
    voided_minor: int = 0
    expires_at: datetime | None = None
    expired: bool = False
    exchange_rate_json: str = ""
    opened_lots: tuple[OpenedLot, ...] = ()

    @property
    def shifted_at(self) -> datetime | None:
        """When it counts, if that is not when it was written."""
        return self.effective_at if self.effective_at != self.recorded_at else None

    @property
    def amount_minor(self) -> int:
        """The signed amount of its leg on its own wallet."""
        return sum(each.amount_minor for each in self.entries if each.key[0] == self.wallet_id)

    @property
    def state(self) -> str:
        if self.voided_minor and self.voided_minor == abs(self.amount_minor):
            return "VOIDED"
        if self.kind != "BOOKING" or (not self.held_remaining_minor and self.captured_minor):
            return "POSTED"
        if self.held_remaining_minor:
            return "PENDING"
        return "EXPIRED" if self.expired else "CANCELLED"

    def as_first_answered(self) -> "Transaction":
        """Leave out what became of it later."""
        if self.kind != "BOOKING":
            return self._replace(voided_minor=0)
        opened_minor = sum(entry.held_change_minor for entry in self.entries)
        return self._replace(held_remaining_minor=opened_minor, captured_minor=0, expired=False)


class Posted(NamedTuple):
    """Accepted now, or decided and not written where the plan asked only for validation."""

    transaction: Transaction
    plan: Plan


class Stored(NamedTuple):
    """Accepted before, under the same request id."""

    transaction_id: int


Verdict = Posted | Stored | Refusal


class Outcome(NamedTuple):
    """What a request id came to, and for which body."""

    body_digest: bytes
    verdict: Verdict


@dataclass(slots=True)
class Books:
    """All that the decision may depend on, loaded under the row locks of the accounts.

    An account that is missing belongs to a wallet or is in an asset that does not exist. The books
    are closed up to `closed_until`.
    """

    accounts: Mapping[AccountKey, Account]
    holds: dict[int, Hold]
    voidables: dict[int, Voidable]
    outcomes: dict[bytes, Outcome]
    assets: frozenset[str] = frozenset()
    first_transaction_id: int = 0
    closed_until: datetime | None = None

    @property
    def now(self) -> datetime:
        return ids.recorded_at(self.first_transaction_id)

    def copy(self, keys: Iterable[AccountKey]) -> "Books":
        """Copy all that plans on these accounts could change."""
        copies = {key: self.accounts[key].copy() for key in keys if key in self.accounts}
        return replace(
            self,
            accounts={**self.accounts, **copies},
            holds=dict(self.holds),
            voidables=dict(self.voidables),
            outcomes=dict(self.outcomes),
        )

    def take_over(self, copy: "Books") -> None:
        """Adopt what was changed in a copy."""
        self.accounts, self.holds = copy.accounts, copy.holds
        self.voidables, self.outcomes = copy.voidables, copy.outcomes


@dataclass(slots=True)
class Writes:
    """What is to be appended: new outcomes, and all that the accepted plans changed."""

    outcomes: dict[bytes, Outcome] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    accounts: dict[int, Account] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    voidables: dict[int, Voidable] = field(default_factory=dict)
    lots: dict[LotId, Lot] = field(default_factory=dict)

    def add(self, others: "Writes") -> None:
        self.outcomes.update(others.outcomes)
        self.posted.extend(others.posted)
        self.accounts.update(others.accounts)
        self.holds.update(others.holds)
        self.voidables.update(others.voidables)
        self.lots.update(others.lots)
