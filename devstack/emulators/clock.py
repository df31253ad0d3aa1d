"""The time that the stand-ins go by."""

import time
from collections.abc import Callable

Clock = Callable[[], float]


def steady_clock() -> Clock:
    """Make a clock of Unix seconds that never steps back, whatever happens to the system's."""
    offset_s = time.time() - time.monotonic()
    return lambda: offset_s + time.monotonic()
