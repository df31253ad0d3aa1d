"""Free TCP ports on 127.0.0.1."""

import random
import socket

# Below the range that operating systems lend to outgoing connections: none of those can take
# a port between its choice and the start of its server.
_RANGE = range(20_000, 32_000)


class Ports:
    """Gives free ports, never the same one twice."""

    def __init__(self) -> None:
        self._given: set[int] = set()

    def take(self) -> int:
        while True:
            port = random.choice(_RANGE)  # noqa: S311 (nothing secret)
            if port not in self._given and _is_free(port):
                self._given.add(port)
                return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
