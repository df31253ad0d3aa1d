"""What callers ask, as checked values, and what it comes to in the books.

Amounts are integers in minor units, debits positive. Nothing here does I/O.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.errors import DomainError

MAX_AMOUNT_MINOR = 10**17
MAX_REQUEST_ID = 64


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("control_characters", "must not hold control characters")
    return text


Printable = AfterValidator(_printable)
Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_REQUEST_ID), Printable]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64), Printable]
Reference = Annotated[str, StringConstraints(max_length=128), Printable]
Note = Annotated[str, StringConstraints(max_length=512), Printable]
LotKind = Literal["PAID", "BONUS", "PACKAGE", "ADD_ON"]
Quantity = Annotated[int, Field(ge=1)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class PositiveAmount(_Value):
    """An amount of one asset that a caller asks to move."""

    asset_code: Annotated[str, StringConstraints(min_length=1, max_length=16), Printable]
    minor_units: Annotated[int, Field(ge=1, le=MAX_AMOUNT_MINOR)]


class Action(_Value):
    """What every mutating request says."""

    request_id: Id
    reference: Reference
    effective_at: datetime | None
    metadata: Annotated[dict[Id, Note], Field(max_length=32)]
    validate_only: bool
    body_digest: bytes
    traceparent: str


class LotTerms(_Value):
    """Terms of what is added: it is then told apart from the rest of the balance.

    The lower priority is drawn first; what expires unspent becomes the house's.
    """

    kind: LotKind
    priority: Annotated[int, Field(ge=0, le=1000)]
    expires_at: datetime | None


class TopUp(Action):
    wallet_id: Id
    amount: PositiveAmount
    lot: LotTerms | None = None


class Usage(Action):
    """Books and commits a usage in one step.

    `quote_id` has it priced as it was quoted; as of now if empty.
    """

    wallet_id: Id
    product_code: Code
    quantity: Quantity
    quote_id: Annotated[str, StringConstraints(max_length=4096)] = ""


class BookUsage(Usage):
    """Books a usage, until `expires_at` if set."""

    expires_at: datetime | None = None


class CommitUsage(Action):
    booking_id: Id
    quantity: Quantity


class CancelUsage(Action):
    booking_id: Id


class Transfer(Action):
    source_wallet_id: Id
    target_wallet_id: Id
    amount: PositiveAmount

    @model_validator(mode="after")
    def _between_two(self) -> Self:
        if self.source_wallet_id == self.target_wallet_id:
            raise PydanticCustomError("same_wallet", "must be another wallet than the source")
        return self


class MoveBalance(Action):
    """Moves balance within an enterprise, if the wallet has this version still (0: any)."""

    wallet_id: Id
    target_wallet_id: Id
    amount: PositiveAmount
    wallet_version: Annotated[int, Field(ge=0)]


class ExtendBalance(Action):
    """Gives what is free of a lot a later expiry."""

    wallet_id: Id
    lot_id: Id
    asset_code: Annotated[str, StringConstraints(min_length=1, max_length=16), Printable]
    expires_at: datetime


class VoidTransaction(Action):
    """Takes back `amount` of a transaction; all that is left if None."""

    transaction_id: Id
    amount: PositiveAmount | None


@dataclass(frozen=True, slots=True)
class Item:
    """An action of a batch, or why what was asked is none."""

    request_id: str
    asked: Action | DomainError


@dataclass(frozen=True, slots=True)
class Batch:
    """Actions to be done in order: `together`, so all or none, or each whatever the others do."""

    items: tuple[Item, ...]
    together: bool


class Quote(_Value):
    wallet_id: Id
    product_code: Code
    quantity: Quantity


class Buyer(NamedTuple):
    """Who pays: a wallet, its type (`PERSONAL`), and the resellers above it, nearest first."""

    wallet_id: str
    wallet_type: str
    resellers: tuple[str, ...]


class Amount(NamedTuple):
    """An amount of one asset; not negative."""

    asset_code: str
    minor_units: int


class Margin(NamedTuple):
    """What a reseller earns by one charge, in the asset of its price."""

    wallet_id: str
    minor_units: int


class Charge(NamedTuple):
    """The price and the cost of one product in one transaction, frozen.

    `price` is what the buyer pays: `tax`, `revenue` and `margins` (nearest reseller first)
    together. `unit_price` and `unit_cost` are those of the price book, where every unit has the
    same.
    """

    product_code: str
    quantity: int
    unit_price: Amount | None
    price: Amount
    unit_cost: Amount | None
    cost: Amount | None
    vendor_code: str
    tax: Amount | None
    tax_code: str
    revenue: Amount
    margins: tuple[Margin, ...]


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a usage would be charged, and until when that is promised under `quote_id`."""

    charge: Charge
    price_book_version: str
    quote_id: str
    expires_at: datetime
    sufficient_funds: bool = False


class Node(NamedTuple):
    """A wallet on a path; its role is what it is within its enterprise, or empty."""

    wallet_id: str
    wallet_type: str
    role: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What a wallet is, apart from its balances, in one version of it.

    The path starts at the topmost wallet and ends with this one. Of a wallet that does not exist
    it is empty, and the version 0: the ledger refuses what is planned for it.
    """

    wallet_id: str
    wallet_type: str
    version: int
    path: tuple[Node, ...]

    @property
    def resellers(self) -> tuple[str, ...]:
        """The resellers above this wallet, the nearest first."""
        above = reversed(self.path[:-1])
        return tuple(each.wallet_id for each in above if each.wallet_type == "RESELLER")


class Leg(NamedTuple):
    """A signed amount on one account; `wallet_id` is empty for the house's."""

    account_type: str
    wallet_id: str
    asset_code: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class OpenHold:
    amount: Amount
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaptureHold:
    """Takes some of a booking, if as many of its units as said were taken before."""

    booking_id: str
    amount: Amount
    quantity: int
    captured_quantity_before: int


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    booking_id: str


@dataclass(frozen=True, slots=True)
class Booking:
    """What a booking froze, and how many of its units were taken when it was read."""

    booking_id: str
    wallet_id: str
    charge: Charge
    price_book_version: str
    captured_quantity: int
    held_remaining_minor: int


@dataclass(frozen=True, slots=True)
class Original:
    """A transaction to take back."""

    transaction_id: str
    wallet_id: str
    asset_code: str
    charge: Charge | None
    price_book_version: str


@dataclass(frozen=True, slots=True)
class VoidOf:
    """What to take back of a transaction: all that is left of it if the amount is 0."""

    transaction_id: str
    amount_minor: int


class Spend(NamedTuple):
    """What the plan's wallet spends: the ledger finds who pays, and adds their legs."""

    amount: Amount
    product_code: str


@dataclass(frozen=True, slots=True)
class ExtendLot:
    lot_id: str
    asset_code: str
    expires_at: datetime


class Plan(NamedTuple):
    """A transaction to post, asked by a wallet as it was when the plan was made.

    The legs are balanced in each asset, but for what is spent. `used` is what finance is told was
    used, or taken back.
    """

    kind: str
    wallet: Profile
    legs: tuple[Leg, ...]
    hold: OpenHold | CaptureHold | ReleaseHold | None = None
    spend: Spend | None = None
    charges: tuple[Charge, ...] = ()
    used: Charge | None = None
    price_book_version: str = ""
    void_of: VoidOf | None = None
    lot: LotTerms | None = None
    extend_lot: ExtendLot | None = None
