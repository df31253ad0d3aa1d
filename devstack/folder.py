"""The folder in which a stack keeps its data and its logs."""

import fcntl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from devstack.errors import FolderRefusedError


@dataclass(frozen=True, slots=True)
class StackFolder:
    """A folder that one stack at a time owns: the one that holds `lock` open."""

    path: Path
    is_temporary: bool
    lock: BinaryIO

    @property
    def logs(self) -> Path:
        return self.path / "logs"


def temporary_folder() -> StackFolder:
    """Make a new folder, to be removed when its stack ends."""
    path = Path(tempfile.mkdtemp(prefix="devstack-"))
    return _locked(path, is_temporary=True)


def kept_folder(path: Path) -> StackFolder:
    """Make `path`, or take it as the last stack left it; FolderRefusedError if one runs there."""
    try:
        path.mkdir(exist_ok=True)
        return _locked(path.resolve(), is_temporary=False)
    except PermissionError as error:
        raise FolderRefusedError(
            f"{path.resolve()} may not be made or used: {error.strerror}; remove it if it is "
            "another user's, or go to a folder of your own"
        ) from error


def _locked(path: Path, *, is_temporary: bool) -> StackFolder:
    # A server that has to run as somebody else passes through; nobody else may look inside.
    path.chmod(0o711)
    path.joinpath("logs").mkdir(exist_ok=True)
    lock = path.joinpath("lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise FolderRefusedError(
            f"a stack already runs on {path} (or is just ending): end it first, "
            "or start this one in another folder"
        ) from None
    return StackFolder(path, is_temporary, lock)
