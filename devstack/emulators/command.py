"""How to start an emulator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class EmulatorCommand:
    """The process to start, without a shell; it stays in the foreground and ends on SIGTERM.

    `env` holds what must be added to the environment of the caller.
    """

    kind: Literal["google", "built-in"]
    argv: tuple[str, ...]
    env: Mapping[str, str]
