"""The books in hand, and what a decision makes of them. Amounts are minor units, signed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, TypeAlias

from wallet_service import ids
from wallet_service.decide.plan import WALLET, AccountKey, Leg, LotId, LotTerms, Plan
from wallet_service.decide.policy import Node, WindowKey
from wallet_service.errors import Refusal

MAX_BALANCE_MINOR = 10**18
MAX_OPEN_LOTS = 1000


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


Moved: TypeAlias = tuple[Leg, Account]
"""A leg of a plan, and its account."""


@dataclass(frozen=True, slots=True)
class HoldPart:
    """What a booking set aside on one account, under that account's row lock.

    `lots` says how much of what remains is on which lot.
    """

    key: AccountKey
    account_id: int
    amount_minor: int
    captured_minor: int = 0
    released_minor: int = 0
    lots: "Mapping[LotId, int]" = field(default_factory=dict)

    @property
    def remaining_minor(self) -> int:
        return self.amount_minor - self.captured_minor - self.released_minor


@dataclass(frozen=True, slots=True)
class Hold:
    """A booking's money, on the accounts of those who pay, in the order in which it is taken.

    `counted` are the windows that it counts in.
    """

    booking_id: int
    wallet_id: int
    parts: tuple[HoldPart, ...]
    captured_quantity: int = 0
    expires_at: datetime | None = None
    expired: bool = False
    counted: tuple[WindowKey, ...] = ()

    @property
    def remaining_minor(self) -> int:
        return sum(part.remaining_minor for part in self.parts)

    @property
    def captured_minor(self) -> int:
        return sum(part.captured_minor for part in self.parts)


class OriginalEntry(NamedTuple):
    """A leg of a transaction to take back, with what of it was on which lots."""

    key: AccountKey
    amount_minor: int
    lot_entries: "tuple[LotEntry, ...]" = ()


@dataclass(frozen=True, slots=True)
class Original:
    """A transaction to take back. It never changes, so it may be read without a lock.

    `spent_minor` is what it spent; None where it did not. `counted` are the windows of that.
    """

    transaction_id: int
    kind: str
    wallet_id: int
    entries: tuple[OriginalEntry, ...]
    spent_minor: int | None = None
    counted: tuple[WindowKey, ...] = ()

    @property
    def own(self) -> tuple[OriginalEntry, ...]:
        """The entries that make up its amount: of those who paid, or of its own wallet."""
        if self.spent_minor is not None:
            return tuple(e for e in self.entries if is_wallet(e.key) and e.amount_minor > 0)
        own = [each for each in self.entries if each.key.wallet_id == self.wallet_id]
        return tuple(each for each in own if each.key == own[0].key)

    @property
    def amount_minor(self) -> int:
        return abs(sum(each.amount_minor for each in self.own))


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
    it for a verdict, now for a reading. `captured_minor` and `captured_quantity` likewise are what
    had been taken. `spent_minor` is what it spent, or gave back of that; None where it did
    neither. `counted` are the windows in which that counts.
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
    spent_minor: int | None = None
    counted: tuple[WindowKey, ...] = ()
    captured_quantity: int = 0

    @property
    def paid_by_others(self) -> bool:
        """Whether its own wallet has no entry of it."""
        return self.wallet_id not in [each.key.wallet_id for each in self.entries]

    @property
    def shifted_at(self) -> datetime | None:
        """When it counts, if that is not when it was written."""
        return self.effective_at if self.effective_at != self.recorded_at else None

    @property
    def amount(self) -> tuple[str, int]:
        """The asset and how much of it was added, spent, set aside, set free or moved."""
        on_wallets = [each for each in self.entries if is_wallet(each.key)]
        own = [each for each in on_wallets if each.key[0] == self.wallet_id] or on_wallets
        asset_code = own[0].key.asset_code
        if self.spent_minor is not None:
            return asset_code, abs(self.spent_minor)
        moved_minor = sum(e.amount_minor for e in own if e.key.asset_code == asset_code)
        held_minor = sum(e.held_change_minor for e in own if e.key.asset_code == asset_code)
        return asset_code, abs(moved_minor or held_minor)

    @property
    def state(self) -> str:
        if self.voided_minor and self.voided_minor == self.amount[1]:
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
        return self._replace(
            held_remaining_minor=opened_minor,
            captured_minor=0,
            captured_quantity=0,
            expired=False,
        )


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


class Holders(NamedTuple):
    """Whose booking it is, and whose accounts hold its money."""

    wallet_id: int
    accounts: tuple[AccountKey, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read before any lock, since it never changes or is checked under them."""

    nodes: Mapping[int, Node] = field(default_factory=dict)
    """The wallets that plans need to know; one that is missing does not exist."""
    originals: Mapping[int, Original] = field(default_factory=dict)
    """What is to be taken back, by id."""
    holders: Mapping[int, Holders] = field(default_factory=dict)
    """Of bookings, by id."""


@dataclass(slots=True)
class Books:
    """All that the decision may depend on, loaded under the row locks of the accounts.

    An account that is missing belongs to a wallet or is in an asset that does not exist. The books
    are closed up to `closed_until`. A window that is missing has nothing in it.
    """

    accounts: Mapping[AccountKey, Account]
    facts: Facts = field(default_factory=Facts)
    holds: dict[int, Hold] = field(default_factory=dict)
    voided: dict[int, int] = field(default_factory=dict)
    """How much of each transaction was taken back."""
    windows: dict[WindowKey, int] = field(default_factory=dict)
    """How much was spent in each."""
    outcomes: dict[bytes, Outcome] = field(default_factory=dict)
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
            voided=dict(self.voided),
            windows=dict(self.windows),
            outcomes=dict(self.outcomes),
        )

    def take_over(self, copy: "Books") -> None:
        """Adopt what was changed in a copy."""
        self.accounts, self.holds = copy.accounts, copy.holds
        self.voided, self.windows, self.outcomes = copy.voided, copy.windows, copy.outcomes


@dataclass(slots=True)
class Writes:
    """What is to be appended: new outcomes, and all that the accepted plans changed."""

    outcomes: dict[bytes, Outcome] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    accounts: dict[int, Account] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    voided: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Of each transaction its amount, and how much of it was taken back."""
    windows: dict[WindowKey, int] = field(default_factory=dict)
    lots: dict[LotId, Lot] = field(default_factory=dict)

    def add(self, others: "Writes") -> None:
        self.outcomes.update(others.outcomes)
        self.posted.extend(others.posted)
        self.accounts.update(others.accounts)
        self.holds.update(others.holds)
        self.voided.update(others.voided)
        self.windows.update(others.windows)
        self.lots.update(others.lots)


def is_wallet(key: AccountKey) -> bool:
    """Whether an account is a wallet's, and not the house's."""
    return key[1] == WALLET
