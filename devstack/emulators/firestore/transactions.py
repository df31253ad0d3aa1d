"""Open transactions: what each has read, looked at again when it commits."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import grpc

from devstack.emulators.firestore.wire import Wire
from devstack.emulators.serving import Refusal

_LONGEST_S = 270.0
_MAX_OPEN = 10_000

# Reads the same documents once more; None stands for one that is missing.
Read: TypeAlias = Callable[[], Sequence[Wire | None]]


@dataclass(slots=True)
class Transaction:
    """One transaction; `reads` holds what it read, and in which versions."""

    expires_at_s: float
    read_only: bool
    reads: list[tuple[Read, object]] = field(default_factory=list)

    def watch(self, read: Read, found: Sequence[Wire | None]) -> None:
        self.reads.append((read, _versions(found)))

    def check_commit(self, *, writes: bool) -> None:
        """Refuse to write if it must not, or if what it has read would be found different now."""
        if self.read_only and writes:
            message = "Cannot write in a read-only transaction."
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
        if writes and any(_versions(read()) != versions for read, versions in self.reads):
            message = "What the transaction has read was changed since: run it again"
            raise Refusal(grpc.StatusCode.ABORTED, message)


class Transactions:
    """The transactions that have begun and neither committed, rolled back nor run out."""

    def __init__(self) -> None:
        self._open: dict[bytes, Transaction] = {}
        self._numbers = itertools.count(1)

    def begin(self, *, read_only: bool, now_s: float) -> bytes:
        self._forget_expired(now_s)
        if len(self._open) >= _MAX_OPEN:
            message = f"{_MAX_OPEN} transactions are open: end some"
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, message)
        token = f"transaction-{next(self._numbers)}".encode()
        self._open[token] = Transaction(now_s + _LONGEST_S, read_only)
        return token

    def get(self, token: bytes) -> Transaction:
        try:
            return self._open[token]
        except KeyError:
            raise _unknown() from None

    def end(self, token: bytes) -> Transaction:
        try:
            return self._open.pop(token)
        except KeyError:
            raise _unknown() from None

    def _forget_expired(self, now_s: float) -> None:
        # They were begun in the order in which they run out.
        while self._open:
            token, oldest = next(iter(self._open.items()))
            if oldest.expires_at_s > now_s:
                return
            del self._open[token]


def _versions(documents: Iterable[Wire | None]) -> object:
    return [each and (each.name, each.update_time.ToNanoseconds()) for each in documents]


def _unknown() -> Refusal:
    message = "The referenced transaction has expired or is no longer valid."
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
