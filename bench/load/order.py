"""What a run of the load is told, and what it tells."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Order:
    """What to do: so many calls always under way, or so many started in each second."""

    target: str
    kind: str
    """A key of `KINDS`."""
    first_wallet: int
    wallets: int
    """How many, numbered from the first."""
    seconds: float
    """How long is measured, after the warm-up."""
    in_flight: int = 0
    per_second: float = 0.0
    """If set, `in_flight` is not: calls are due at this pace, whatever became of others."""
    warmup_seconds: float = 1.0
    connections: int = 8
    """Each carries at most as many calls as the server allows it: together more than it takes."""

    def json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> Self:
        return cls(**json.loads(text))

    @property
    def wallet_ids(self) -> list[str]:
        return [f"wal_{self.first_wallet + number}" for number in range(self.wallets)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, in the time that was measured. Latencies are from when a call was due."""

    actions: int
    """Those accepted in that time, whenever they were due."""
    seconds: float
    statuses: Mapping[str, int]
    """How many calls ended how, by gRPC's name of the status."""
    latency_ms: Mapping[str, float]
    """By percentile (`p50`), of accepted calls."""
    own_cpu_s: float
    unsent: int = 0
    """Calls that were due, but for which too many were under way."""
    unanswered: int = 0
    """Calls that had no answer 10 s after the end."""
    said: Sequence[str] = field(default=())
    """What some of those calls were told that were not accepted."""

    def json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> Self:
        return cls(**json.loads(text))

    @property
    def per_second(self) -> float:
        return self.actions / self.seconds

    @property
    def ended(self) -> str:
        """How all calls ended, in words."""
        counts = {**self.statuses, "unsent": self.unsent, "unanswered": self.unanswered}
        told = (f"{count:,} {status}" for status, count in counts.items() if count)
        return "; ".join((*told, *self.said))

    @property
    def failed(self) -> int:
        """Calls that were not accepted."""
        ended = sum(count for status, count in self.statuses.items() if status != "OK")
        return ended + self.unsent + self.unanswered
