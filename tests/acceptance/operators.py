"""The operators' tool as a process, for the acceptance tests."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.event_servers import LIMIT_S, until

TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Walletctl:
    environment: dict[str, str]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "walletctl", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def wallet(self, funds_minor: int = 0) -> str:
        wallet_id: str = self.json("wallets", "create", "An operator's wallet")["wallet_id"]
        if funds_minor:
            self.top_up(wallet_id, funds_minor)
        return wallet_id

    def top_up(self, wallet_id: str, minor: int, *options: str) -> None:
        amount = ["--amount", str(minor), "--asset", "IDR"]
        self.json("actions", "top-up", wallet_id, *amount, *options)


async def until_lag_is(
    walletctl: Walletctl, limit_s: float = LIMIT_S, **figures: int
) -> dict[str, Any]:
    """Wait until `events lag` tells these figures; answer all of them."""
    told: dict[str, Any] = {}

    async def is_told() -> bool:
        told.update(walletctl.json("events", "lag"))
        return told.items() >= figures.items()

    await until(is_told, f"the lag is {figures}", limit_s)
    return told
