"""Why a stack cannot run.

DevstackError
├── ChildFailedError       a child process did not start, or ended by itself
├── FolderRefusedError     the folder is another stack's, or another user's
└── PostgresRefusesError   Postgres cannot be started by this user

Each message says what to do or where to look.
"""

from pathlib import Path


class DevstackError(Exception):
    """What the command line tells its user without a traceback."""


class ChildFailedError(DevstackError):
    """Names the child, why it failed, the last lines of its log, and where that is."""

    def __init__(self, name: str, reason: str, last_lines: str, log: Path) -> None:
        super().__init__(f"{name} {reason}\n{last_lines}\nlog: {log}")
        self.name = name
        self.reason = reason
        self.last_lines = last_lines
        self.log = log


class FolderRefusedError(DevstackError):
    pass


class PostgresRefusesError(DevstackError):
    pass
