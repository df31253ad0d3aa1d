"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """The whole, or just enough to see that all of it runs."""

    rounds: int
    seconds: int
    """Of each measurement."""
    warmup_seconds: int
    """Of each front door, once: so long until it knows the wallets."""
    wallets: int
    entries: tuple[int, ...]
    """How many entries the ledgers have that the ledger alone is measured on."""
    scale: int
    """Of pgbench: 100,000 accounts each."""
    mixed_actions: int
    """How many actions the long run takes."""
    peak_seconds: int
    """How long the pace is looked for that these runs are paced by."""
    overload_seconds: int
    backlog: int
    """How many events are caught up with."""
    steady_seconds: int
    """How long events are timed at 1,000 actions/s."""


WHOLE = Size(
    rounds=3,
    seconds=3,
    warmup_seconds=10,
    wallets=10_000,
    entries=(0, 1_000_000, 5_000_000),
    scale=50,
    mixed_actions=700_000,
    peak_seconds=10,
    overload_seconds=20,
    backlog=200_000,
    steady_seconds=30,
)
QUICK = Size(
    rounds=1,
    seconds=2,
    warmup_seconds=2,
    wallets=500,
    entries=(0, 5_000),
    scale=1,
    mixed_actions=5_000,
    peak_seconds=2,
    overload_seconds=3,
    backlog=5_000,
    steady_seconds=5,
)
