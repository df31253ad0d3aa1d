"""The ledger against finance's documents, as operators compare them: `walletctl reconcile`."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devstack.demo.finance import Sums

DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What the command told."""

    events: int
    documents: int
    differences: Sequence[Mapping[str, Any]]
    ledger: Sums
    told: Sums
    """What the documents sum to."""


async def reconcile() -> Reconciliation:
    """Run the command in this environment. Raises `TimeoutError` where it comes to nothing."""
    command = sys.executable, "-m", "walletctl", "--output", "json", "reconcile"
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(DEADLINE_S):
        out, err = await process.communicate()
    if not out:
        raise TimeoutError(err.decode())
    return _told(json.loads(out))


def _told(report: Mapping[str, Any]) -> Reconciliation:
    return Reconciliation(
        report["events"],
        report["documents"],
        report["differences"],
        _sums(report["sums"], "ledger_minor"),
        _sums(report["sums"], "documents_minor"),
    )


def _sums(rows: Iterable[Mapping[str, Any]], side: str) -> Sums:
    return {(each["account_type"], each["asset_code"]): each[side] for each in rows if each[side]}
