"""The errors that a caller can meet, each mapped once, at the edge, to its gRPC status.

    DomainError
    ├── InvalidArgument      a field of the request is at fault
    ├── NotFound             what the request names does not exist
    ├── AlreadyExists        the request id was used for something else
    ├── FailedPrecondition   the books do not allow it as they stand
    ├── Aborted              somebody else was faster: read again, try again
    ├── ResourceExhausted    too much work is waiting: come back later
    ├── Unavailable          a part this depends on is down: retry with the same request id
    └── Internal             nobody foresaw it: a fixed text, and an id that the log has too

`code` is the value of `google.rpc.Code`; this module imports the standard library only, so
that the pure rooms may raise its errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

MAX_IN_MESSAGE = 5
"""How many fields at fault an error's message names; its violations name all."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field at fault, named by its path in the request (`amount.minor_units`)."""

    field: str
    description: str


class DomainError(Exception):
    """A refusal that the caller is told of.

    `reason` is UPPER_SNAKE and stable; `metadata` holds the figures behind it as text.
    """

    code: ClassVar[int]

    def __init__(
        self, reason: str, message: str, metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})


class InvalidArgument(DomainError):
    code = 3

    def __init__(self, reason: str, *violations: FieldViolation) -> None:
        told = [f"{each.field}: {each.description}" for each in violations[:MAX_IN_MESSAGE]]
        if more := len(violations) - len(told):
            told.append(f"and {more} more")
        super().__init__(reason, "; ".join(told))
        self.violations = violations


class NotFound(DomainError):
    code = 5


class AlreadyExists(DomainError):
    code = 6


class FailedPrecondition(DomainError):
    code = 9


class Aborted(DomainError):
    code = 10


class ResourceExhausted(DomainError):
    code = 8

    def __init__(self, reason: str, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(reason, message)
        self.retry_after_s = retry_after_s


class Unavailable(DomainError):
    code = 14

    def __init__(self, reason: str, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(reason, message)
        self.retry_after_s = retry_after_s


class Internal(DomainError):
    code = 13


def invalid(field: str, description: str, reason: str = "FIELD_INVALID") -> InvalidArgument:
    """Build the error of a single field at fault."""
    return InvalidArgument(reason, FieldViolation(field, description))
