"""The embedded stack as its user meets it: the command, its endpoints, and what it leaves."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from devstack.children import Children, Command, Server
from devstack.errors import ChildFailedError
from devstack.folder import temporary_folder
from devstack.stack import Stack
from shared.rpc_client import open_channel, probe

DEVSTACK = (sys.executable, "-m", "devstack")
ENDPOINTS = {
    "TRANSACTION_TARGET",
    "WALLET_TARGET",
    "PUBLISHER_TARGET",
    "SINK_TARGET",
    "WALLET_DATABASE_URL",
    "WALLET_OWNER_DATABASE_URL",
    "TRANSACTION_DATABASE_URL",
    "RPC_ENGINE",
    "REDIS_URL",
    "GOOGLE_CLOUD_PROJECT",
    "PUBSUB_EMULATOR_HOST",
    "FIRESTORE_EMULATOR_HOST",
}
UNTIL_ANSWERED = ("--", "sh", "-c", 'env; read -r answer; exit "$answer"')
RUN_UNTIL_ANSWERED = ("run", *UNTIL_ANSWERED)
LIMIT_S = 60


class Devstack:
    """A devstack command that has printed its endpoints, and what it had started by then."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.endpoints = endpoints_printed_by(process)
        self._descendants = psutil.Process(process.pid).children(recursive=True)

    def answer(self, line: str) -> int:
        """Give the command the line that it waits for; say its exit code."""
        self.process.communicate(line, timeout=LIMIT_S)
        return self.process.returncode

    def end(self, signal_number: signal.Signals) -> int:
        """Signal devstack itself and nobody else; say its exit code."""
        self.process.send_signal(signal_number)
        return self.process.wait(LIMIT_S)

    def left_behind(self) -> list[psutil.Process]:
        """Wait until everything it had started is gone; say what isn't in time."""
        assert len(self._descendants) >= 9  # Four servers, four services, a watchdog.
        return psutil.wait_procs(self._descendants, timeout=LIMIT_S)[1]

    def break_down(self) -> None:
        """Kill it with everything that it has started, as a crash of the machine would."""
        everything = [psutil.Process(self.process.pid), *self._descendants]
        for process in everything:  # All stand still before the first dies: none may tidy up.
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        for process in everything:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(LIMIT_S)
        assert self.left_behind() == []


@contextmanager
def devstack(arguments: tuple[str, ...], folder: Path) -> Iterator[Devstack]:
    """Start a devstack command in `folder`, which takes its temporary files too."""
    with subprocess.Popen(
        (*DEVSTACK, *arguments),
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Devstack(process)
        finally:
            process.terminate()


def endpoints_printed_by(process: "subprocess.Popen[str]") -> dict[str, str]:
    endpoints: dict[str, str] = {}
    assert process.stdout is not None
    while ENDPOINTS - endpoints.keys():
        line = process.stdout.readline()
        assert line, "devstack ended before it printed all endpoints"
        name, _, value = line.rstrip("\n").partition("=")
        endpoints[name] = value
    return endpoints


async def serves(target: str) -> None:
    async with open_channel(target, timeout_s=2) as channel:
        await probe(channel)


async def execute(database_url: str, statement: str) -> str:
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("engine", ["grpcio", "native"])
def test_run_gives_serving_endpoints_and_the_exit_code(tmp_path: Path, engine: str) -> None:
    """CMD finds every part under its variable, its exit code is passed on, nothing remains."""
    with devstack(("run", "--engine", engine, *UNTIL_ANSWERED), tmp_path) as running:
        assert running.endpoints["RPC_ENGINE"] == engine
        for service in ("TRANSACTION", "WALLET", "PUBLISHER", "SINK"):
            asyncio.run(serves(running.endpoints[f"{service}_TARGET"]))
        asyncio.run(execute(running.endpoints["WALLET_DATABASE_URL"], "SELECT FROM wallets"))
        assert running.answer("7\n") == 7
        assert running.left_behind() == []
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("signal_number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_nothing_outlives_a_signalled_run(
    tmp_path: Path, signal_number: signal.Signals, exit_code: int
) -> None:
    """However `devstack run` is ended, CMD, servers, services and files go with it."""
    with devstack(RUN_UNTIL_ANSWERED, tmp_path) as running:
        assert running.end(signal_number) == exit_code
        assert running.left_behind() == []
        assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_a_stack_that_is_still_starting(tmp_path: Path) -> None:
    """An interrupted start ends what has started so far and removes its files."""
    with subprocess.Popen(
        (*DEVSTACK, "run", "--", "true"), env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as process:
        deadline = time.monotonic() + LIMIT_S
        while not list(tmp_path.glob("*/logs/postgres.log")) and time.monotonic() < deadline:
            time.sleep(0.01)
        descendants = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 130
        assert descendants
        assert psutil.wait_procs(descendants, timeout=LIMIT_S)[1] == []
        assert list(tmp_path.iterdir()) == []


def test_a_part_that_fails_names_itself_and_its_log(tmp_path: Path) -> None:
    """A wrong setting stops the start; the message holds the part, the reason and a log."""
    answer = subprocess.run(
        (*DEVSTACK, "run", "--", "true"),
        env={**os.environ, "TMPDIR": str(tmp_path), "WALLET_HOUSE_STRIPES": "none"},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert answer.returncode == 1
    assert "wallet did not start: it ended with exit code 2" in answer.stderr
    assert "WALLET_HOUSE_STRIPES" in answer.stderr
    log = Path(answer.stderr.rpartition("log: ")[2].strip())
    assert "WALLET_HOUSE_STRIPES" in log.read_text()
    assert list(tmp_path.iterdir()) == [log]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (("run", "--engine", "steam", "--", "true"), 2, "'steam' is not one of"),
        (("run", "--", "no-such-command"), 127, "no-such-command: command not found"),
    ],
)
def test_what_cannot_run_is_refused_at_once(
    tmp_path: Path, arguments: tuple[str, ...], exit_code: int, message: str
) -> None:
    """A wrong command line is told in words, before anything is started."""
    answer = subprocess.run(
        (*DEVSTACK, *arguments),
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert (answer.returncode, answer.stdout) == (exit_code, "")
    assert message in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_up_keeps_its_data_and_its_folder_to_itself(tmp_path: Path) -> None:
    """A second `up` is refused; after a crash the next one finds what was committed.

    The crash leaves a `postmaster.pid`, and the process id in it belongs to somebody else then.
    """
    with devstack(("up",), tmp_path) as first:
        asyncio.run(execute(first.endpoints["WALLET_OWNER_DATABASE_URL"], "CREATE TABLE kept ()"))
        second = subprocess.run(
            (*DEVSTACK, "up"), cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert second.returncode == 1
        assert f"a stack already runs on {tmp_path / '.devstack'}" in second.stderr
        first.break_down()
    pid_file = tmp_path / ".devstack" / "postgres" / "data" / "postmaster.pid"
    stale_pid, _, rest = pid_file.read_text().partition("\n")
    assert not psutil.pid_exists(int(stale_pid))
    pid_file.write_text(f"{os.getpid()}\n{rest}")
    with devstack(("up",), tmp_path) as third:
        asyncio.run(execute(third.endpoints["WALLET_OWNER_DATABASE_URL"], "DROP TABLE kept"))
        assert third.end(signal.SIGINT) == 0
        assert third.left_behind() == []


async def test_a_killed_service_starts_again_at_its_address(stack: Stack) -> None:
    """The stack can lose a service to SIGKILL and get it back where its clients expect it."""
    lost_pid = stack.pid("transaction")
    assert await stack.end("transaction", signal.SIGKILL) == -signal.SIGKILL
    assert not psutil.pid_exists(lost_pid)
    await stack.start("transaction")
    assert stack.pid("transaction") != lost_pid
    await serves(stack.environment["TRANSACTION_TARGET"])


async def test_a_second_instance_serves_beside_the_first(stack: Stack) -> None:
    """One more process of a kind gets an address of its own, and ends gracefully when told."""
    target = await stack.add("transaction-2", "transaction")
    assert target != stack.environment["TRANSACTION_TARGET"]
    await serves(target)
    await serves(stack.environment["TRANSACTION_TARGET"])
    assert await stack.end("transaction-2", signal.SIGTERM) == 0


async def test_what_a_child_leaves_behind_ends_with_it() -> None:
    """A child's own children are ended too, even those that ignore SIGTERM."""
    script = 'trap "" TERM; sleep 600 & exec sleep 600'
    with Children(temporary_folder(), os.environ) as children:
        await children.serve(Server(Command("stubborn", ("sh", "-c", script)), _at_once))
        stubborn = psutil.Process(children.pid("stubborn"))
        family = [stubborn, *stubborn.children()]
        assert children.end("stubborn", signal.SIGKILL) == -signal.SIGKILL
    assert psutil.wait_procs(family, timeout=LIMIT_S)[1] == []


async def test_a_server_that_ends_at_once_is_told_with_its_last_words() -> None:
    """The error holds the child's name, how it ended, its last lines, and a log that stays."""
    server = Server(Command("broken", ("sh", "-c", "echo because; exit 3")), _not_yet)
    with (
        Children(temporary_folder(), os.environ) as children,
        pytest.raises(ChildFailedError) as caught,
    ):
        await children.serve(server)
    assert "broken did not start: it ended with exit code 3\nbecause" in str(caught.value)
    assert caught.value.log.read_text() == "because\n"
    caught.value.log.unlink()


async def _at_once() -> bool:
    return True


async def _not_yet() -> bool:
    await asyncio.sleep(0)
    return False
