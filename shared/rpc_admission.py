"""Which calls a server takes, so that what it holds is bounded, and who comes hears at once."""

from shared.errors import DomainError, ResourceExhausted, Unavailable

MAX_CALLS = 3_072
"""At 2,300 calls a second, a disk may take a second for one commit, and nobody is refused."""

MAX_BYTES = 32 * 1024 * 1024

_OVERLOADED = ResourceExhausted("OVERLOADED", "too much work is under way: try again later")
"""Made once, for the many that are told so at the worst of times: to be read, never raised."""


class Admission:
    """Counts the calls under way, at most `max_calls` with requests of `max_bytes` together.

    One call is always taken, whatever its size.
    """

    def __init__(self, max_calls: int = MAX_CALLS, max_bytes: int = MAX_BYTES) -> None:
        self._max_calls = max_calls
        self._max_bytes = max_bytes
        self._calls = 0
        self._bytes = 0
        self._closed = False

    def close(self) -> None:
        """Refuse every call from now on; those under way go on."""
        self._closed = True

    def closing(self) -> DomainError | None:
        """Say why no call at all may go on; None while they may."""
        if self._closed:
            return Unavailable("SHUTTING_DOWN", "this process stops: call again, or another one")
        return None

    def refusal(self, size: int) -> DomainError | None:
        """Say why a call with a request of `size` bytes is refused; None if it may enter.

        What it says is not to be raised: it may be said to others too.
        """
        if closing := self.closing():
            return closing
        full = self._calls >= self._max_calls or self._bytes + size > self._max_bytes
        return _OVERLOADED if full and self._calls else None

    def enter(self, size: int) -> DomainError | None:
        """Count a call with a request of `size` bytes in, unless there is a `refusal`."""
        if refusal := self.refusal(size):
            return refusal
        self._calls += 1
        self._bytes += size
        return None

    def leave(self, size: int) -> None:
        """Count a call out that `enter` let in."""
        self._calls -= 1
        self._bytes -= size
