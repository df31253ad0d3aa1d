"""A check."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """Something claimed, and whether it is so."""

    claim: str
    expected: object
    seen: object

    @property
    def holds(self) -> bool:
        return self.expected == self.seen
