"""Counts answers, and keeps how long each took."""

from array import array
from collections import Counter

from bench.load.connection import Answer

_SAID_KEPT = 5
PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9, 100.0)


class Tally:
    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.said: list[str] = []
        self._latencies_us = array("I")

    def count(self, status: str, answer: Answer) -> None:
        """Count a call that ended so."""
        self.statuses[status] += 1
        if status == "OK":
            self._latencies_us.append(int(answer.seconds * 1e6))
        elif len(self.said) < _SAID_KEPT:
            self._keep(f"{status}: {answer.ending.message}")

    def _keep(self, said: str) -> None:
        if said not in self.said:
            self.said.append(said)

    def latency_ms(self) -> dict[str, float]:
        """Give the percentiles of accepted calls by name (`p99.9`); none if there was no call."""
        ordered = sorted(self._latencies_us)
        if not ordered:
            return {}
        return {f"p{each:g}": _at(ordered, each) / 1000 for each in PERCENTILES}


def _at(ordered: list[int], percentile: float) -> int:
    return ordered[min(int(len(ordered) * percentile / 100), len(ordered) - 1)]
