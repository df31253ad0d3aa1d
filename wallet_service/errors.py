"""Every refusal of the ledger, in the order in which the rules are tried."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import (
    Aborted,
    AlreadyExists,
    DomainError,
    FailedPrecondition,
    NotFound,
    invalid,
)

ASSET_UNKNOWN = "ASSET_UNKNOWN"
EXPIRE_TIME_PAST = "EXPIRE_TIME_PAST"
REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
WALLET_NOT_FOUND = "WALLET_NOT_FOUND"
PERIOD_CLOSED = "PERIOD_CLOSED"
WALLET_CLOSED = "WALLET_CLOSED"
WALLET_FROZEN = "WALLET_FROZEN"
BOOKING_NOT_FOUND = "BOOKING_NOT_FOUND"
BOOKING_CLOSED = "BOOKING_CLOSED"
BOOKING_EXPIRED = "BOOKING_EXPIRED"
BOOKING_EXCEEDED = "BOOKING_EXCEEDED"
INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
BALANCE_LIMIT_EXCEEDED = "BALANCE_LIMIT_EXCEEDED"

TRANSACTION_NOT_FOUND = "TRANSACTION_NOT_FOUND"
TRANSACTION_NOT_VOIDABLE = "TRANSACTION_NOT_VOIDABLE"
VOID_STALE = "VOID_STALE"
VOID_EXCEEDED = "VOID_EXCEEDED"
LOT_STALE = "LOT_STALE"
LOT_LIMIT_EXCEEDED = "LOT_LIMIT_EXCEEDED"
GROUP_REFUSED = "GROUP_REFUSED"
WALLET_NOT_EMPTY = "WALLET_NOT_EMPTY"
CREDIT_LIMIT_IN_USE = "CREDIT_LIMIT_IN_USE"
VERSION_STALE = "VERSION_STALE"

_Kind = type[NotFound | AlreadyExists | FailedPrecondition | Aborted]

_KINDS: Mapping[str, _Kind] = {
    REQUEST_ID_REUSED: AlreadyExists,
    WALLET_NOT_FOUND: NotFound,
    WALLET_CLOSED: FailedPrecondition,
    WALLET_FROZEN: FailedPrecondition,
    WALLET_NOT_EMPTY: FailedPrecondition,
    CREDIT_LIMIT_IN_USE: FailedPrecondition,
    BOOKING_NOT_FOUND: NotFound,
    BOOKING_CLOSED: FailedPrecondition,
    BOOKING_EXPIRED: FailedPrecondition,
    BOOKING_EXCEEDED: FailedPrecondition,
    INSUFFICIENT_FUNDS: FailedPrecondition,
    BALANCE_LIMIT_EXCEEDED: FailedPrecondition,
    VERSION_STALE: Aborted,
    TRANSACTION_NOT_FOUND: NotFound,
    TRANSACTION_NOT_VOIDABLE: FailedPrecondition,
    VOID_STALE: Aborted,
    VOID_EXCEEDED: FailedPrecondition,
    PERIOD_CLOSED: FailedPrecondition,
    LOT_STALE: Aborted,
    LOT_LIMIT_EXCEEDED: FailedPrecondition,
    GROUP_REFUSED: FailedPrecondition,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a plan was refused: a reason of this module, words for people, and the figures.

    `field` names the request's field at fault where there is one.
    """

    reason: str
    message: str
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    field: str = ""

    @property
    def code(self) -> int:
        """Value of `google.rpc.Code`."""
        return self.as_error().code

    def as_error(self) -> DomainError:
        if self.field:
            return invalid(self.field, self.message, self.reason)
        return _KINDS[self.reason](self.reason, self.message, self.metadata)

    def to_json(self) -> str:
        return json.dumps(
            {
                "reason": self.reason,
                "message": self.message,
                "metadata": dict(self.metadata),
                "field": self.field,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "Refusal":
        return cls(**json.loads(text))


def wallet_not_found(wallet_id: str) -> Refusal:
    return Refusal(WALLET_NOT_FOUND, f"wallet {wallet_id} does not exist", {"wallet_id": wallet_id})


def wallet_closed(wallet_id: str) -> Refusal:
    return Refusal(WALLET_CLOSED, f"wallet {wallet_id} is closed", {"wallet_id": wallet_id})


def transaction_not_found(transaction_id: str) -> Refusal:
    return Refusal(
        TRANSACTION_NOT_FOUND,
        f"transaction {transaction_id} does not exist",
        {"transaction_id": transaction_id},
    )


def group_refused(request_id: str, refusal: Refusal) -> Refusal:
    """Refuse a plan because another one of its group, with that request id, is refused."""
    return Refusal(
        GROUP_REFUSED,
        f"{request_id} of the same group was refused: {refusal.message}",
        {"request_id": request_id, "group_reason": refusal.reason},
    )


def request_id_reused(request_id: str) -> Refusal:
    return Refusal(
        REQUEST_ID_REUSED,
        f"request id {request_id} was used before, with another body",
        {"request_id": request_id},
    )
