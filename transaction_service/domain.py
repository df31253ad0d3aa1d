"""What callers ask, as checked values, and what it comes to in the books.

Amounts are integers in minor units, debits positive. Nothing here does I/O.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

MAX_AMOUNT_MINOR = 10**17


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("control_characters", "must not hold control characters")
    return text


Printable = AfterValidator(_printable)
Id = Annotated[str, StringConstraints(min_length=1, max_length=64), Printable]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64), Printable]
Reference = Annotated[str, StringConstraints(max_length=128), Printable]
Note = Annotated[str, StringConstraints(max_length=512), Printable]
LotKind = Literal["PAID", "BONUS", "PACKAGE", "ADD_ON"]
Quantity = Annotated[int, Field(ge=1)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Amount(_Value):
    """A positive amount of one asset."""

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
    amount: Amount
    lot: LotTerms | None = None


class Usage(Action):
    """Books a usage (until `expires_at`, if set), or books and commits it in one step."""

    wallet_id: Id
    product_code: Code
    quantity: Quantity
    expires_at: datetime | None = None


class CommitUsage(Action):
    booking_id: Id
    quantity: Quantity


class CancelUsage(Action):
    booking_id: Id


class Transfer(Action):
    source_wallet_id: Id
    target_wallet_id: Id
    amount: Amount

    @model_validator(mode="after")
    def _between_two(self) -> Self:
        if self.source_wallet_id == self.target_wallet_id:
            raise PydanticCustomError("same_wallet", "must be another wallet than the source")
        return self


class VoidTransaction(Action):
    """Takes back `amount` of a transaction; all that is left if None."""

    transaction_id: Id
    amount: Amount | None


class Quote(_Value):
    wallet_id: Id
    product_code: Code
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class Charge:
    """The price and the cost of one product in one transaction, frozen."""

    product_code: str
    quantity: int
    unit_price: Amount
    price: Amount
    unit_cost: Amount | None
    cost: Amount | None
    vendor_code: str


@dataclass(frozen=True, slots=True)
class Leg:
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
    booking_id: str
    amount: Amount


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    booking_id: str
    asset_code: str


@dataclass(frozen=True, slots=True)
class Booking:
    """What a booking froze: it never changes, so it may be read without a lock."""

    booking_id: str
    wallet_id: str
    charge: Charge
    price_book_version: str


@dataclass(frozen=True, slots=True)
class Original:
    """A transaction to take back: what it was, and how much of it was taken back so far.

    `amount_minor` is the size of what it moved on its wallet.
    """

    transaction_id: str
    wallet_id: str
    legs: tuple[Leg, ...]
    asset_code: str
    amount_minor: int
    voided_minor: int
    product_code: str
    vendor_code: str
    price_book_version: str


@dataclass(frozen=True, slots=True)
class VoidOf:
    transaction_id: str
    amount_minor: int
    voided_before_minor: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A balanced transaction to post, asked by `wallet_id`.

    `product_code`, `vendor_code` and `quantity` are what finance is told of it.
    """

    kind: str
    wallet_id: str
    legs: tuple[Leg, ...]
    hold: OpenHold | CaptureHold | ReleaseHold | None = None
    charges: tuple[Charge, ...] = ()
    price_book_version: str = ""
    product_code: str = ""
    vendor_code: str = ""
    quantity: int = 0
    void_of: VoidOf | None = None
    lot: LotTerms | None = None
