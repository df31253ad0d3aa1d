"""Every refusal of the ledger, in the order in which the rules are tried: docs/errors.md."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.errors import (
    Aborted,
    AlreadyExists,
    DomainError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    invalid,
)

REQUEST_UNKNOWN = "REQUEST_UNKNOWN"
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
BOOKING_STALE = "BOOKING_STALE"
VOID_EXCEEDED = "VOID_EXCEEDED"
LOT_STALE = "LOT_STALE"
LOT_NOT_FOUND = "LOT_NOT_FOUND"
SPENDING_LIMIT_EXCEEDED = "SPENDING_LIMIT_EXCEEDED"
LOT_LIMIT_EXCEEDED = "LOT_LIMIT_EXCEEDED"
GROUP_REFUSED = "GROUP_REFUSED"
WALLET_NOT_EMPTY = "WALLET_NOT_EMPTY"
CREDIT_LIMIT_IN_USE = "CREDIT_LIMIT_IN_USE"
VERSION_STALE = "VERSION_STALE"
PARENT_UNFIT = "PARENT_UNFIT"
TREE_TOO_DEEP = "TREE_TOO_DEEP"
TREE_TOO_LARGE = "TREE_TOO_LARGE"
BOOKINGS_OPEN = "BOOKINGS_OPEN"


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason to refuse, and its error.

    `kept` says whether the refusal is the request id's one outcome; otherwise the same request may
    be sent again, and meet another answer.
    """

    reason: str
    error: type[DomainError]
    says: str
    kept: bool = True


POSTING_RULES = (
    Rule(
        REQUEST_UNKNOWN, NotFound, "The first answer was asked for, and there is none.", kept=False
    ),
    Rule(ASSET_UNKNOWN, InvalidArgument, "An asset is not registered.", kept=False),
    Rule(REQUEST_ID_REUSED, AlreadyExists, "The id came before, with another body.", kept=False),
    Rule(EXPIRE_TIME_PAST, InvalidArgument, "What is booked or added has expired.", kept=False),
    Rule(WALLET_NOT_FOUND, NotFound, "A wallet does not exist."),
    Rule(VERSION_STALE, Aborted, "A wallet was changed meanwhile: read it again.", kept=False),
    Rule(PERIOD_CLOSED, FailedPrecondition, "The effective time is in a closed period."),
    Rule(WALLET_CLOSED, FailedPrecondition, "A wallet is closed."),
    Rule(WALLET_FROZEN, FailedPrecondition, "A frozen wallet would be debited, or held from."),
    Rule(BOOKING_NOT_FOUND, NotFound, "The wallet has no such booking."),
    Rule(BOOKING_CLOSED, FailedPrecondition, "The booking holds nothing more."),
    Rule(BOOKING_EXPIRED, FailedPrecondition, "The booking has expired, and is to be taken."),
    Rule(BOOKING_STALE, Aborted, "Some of it was taken meanwhile: read it again.", kept=False),
    Rule(BOOKING_EXCEEDED, FailedPrecondition, "The booking holds less."),
    Rule(TRANSACTION_NOT_FOUND, NotFound, "The wallet has no such transaction to void."),
    Rule(TRANSACTION_NOT_VOIDABLE, FailedPrecondition, "It is of a kind that cannot be voided."),
    Rule(VOID_EXCEEDED, FailedPrecondition, "Less of it is left to void."),
    Rule(LOT_STALE, Aborted, "The expired lot is no longer as it was read.", kept=False),
    Rule(LOT_NOT_FOUND, NotFound, "The wallet has nothing free of the lot to extend."),
    Rule(SPENDING_LIMIT_EXCEEDED, FailedPrecondition, "A limit on spending would be passed."),
    Rule(INSUFFICIENT_FUNDS, FailedPrecondition, "A wallet has less available."),
    Rule(BALANCE_LIMIT_EXCEEDED, FailedPrecondition, "A balance would pass 10^18 minor units."),
    Rule(LOT_LIMIT_EXCEEDED, FailedPrecondition, "A wallet would have more than 1,000 open lots."),
    Rule(GROUP_REFUSED, FailedPrecondition, "Another plan of the same group is refused."),
)
"""Why a plan is refused, in order of precedence: the first rule that is broken gives the reason.

A refusal that is not kept leaves no outcome for any plan of its group.
"""

WALLET_RULES = (
    Rule(WALLET_NOT_EMPTY, FailedPrecondition, "A wallet to be closed holds or owes something."),
    Rule(CREDIT_LIMIT_IN_USE, FailedPrecondition, "A wallet uses more credit than the new limit."),
    Rule(PARENT_UNFIT, FailedPrecondition, "Such a wallet may not stand under that parent."),
    Rule(TREE_TOO_DEEP, FailedPrecondition, "A tree would have too many levels."),
    Rule(TREE_TOO_LARGE, FailedPrecondition, "More than 100,000 wallets would move at once."),
    Rule(BOOKINGS_OPEN, FailedPrecondition, "Bookings of a wallet to be moved hold money."),
)
"""What else may be refused to who changes a wallet."""

_RULES: Mapping[str, Rule] = {rule.reason: rule for rule in (*POSTING_RULES, *WALLET_RULES)}

NOT_KEPT = frozenset(rule.reason for rule in _RULES.values() if not rule.kept)


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
        return _RULES[self.reason].error(self.reason, self.message, self.metadata)

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


def version_stale(wallet_id: str, version: int) -> Refusal:
    return Refusal(
        VERSION_STALE,
        f"{wallet_id} is no longer at version {version}: read it again",
        {"wallet_id": wallet_id, "version": str(version)},
    )


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


def period_closed(closed_until: datetime) -> Refusal:
    moment = closed_until.isoformat()
    message = f"the books are closed up to {moment}"
    return Refusal(PERIOD_CLOSED, message, {"closed_until": moment})


def request_unknown(request_id: str) -> Refusal:
    message = f"request id {request_id} was not answered before"
    return Refusal(REQUEST_UNKNOWN, message, {"request_id": request_id})


def request_id_reused(request_id: str) -> Refusal:
    return Refusal(
        REQUEST_ID_REUSED,
        f"request id {request_id} was used before, with another body",
        {"request_id": request_id},
    )
