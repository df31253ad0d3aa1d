"""What a comparison of the ledger with finance's documents found. Pure."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from walletctl.finance.comparison import Sums
from walletctl.output import Row


class Kind(StrEnum):
    MISSING = "MISSING"
    UNPUBLISHED = "UNPUBLISHED"
    EXTRA = "EXTRA"
    DIFFERING = "DIFFERING"


@dataclass(frozen=True, slots=True)
class Difference:
    kind: Kind
    event_id: str
    fields: tuple[str, ...] = ()
    """Of a document that differs."""


@dataclass(slots=True)
class Findings:
    """What both sides have; every difference is counted, and the first `limit` are kept."""

    limit: int
    events: int = 0
    documents: int = 0
    counts: Counter[Kind] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    ledger: Sums = field(default_factory=Counter)
    told: Sums = field(default_factory=Counter)

    def note(self, difference: Difference) -> None:
        self.counts[difference.kind] += 1
        if len(self.differences) < self.limit:
            self.differences.append(difference)

    def rows(self) -> list[Row]:
        """Name the differences that were kept."""
        return [
            {
                "event_id": each.event_id,
                "difference": each.kind.value,
                "fields": list(each.fields),
            }
            for each in self.differences
        ]

    def sums(self) -> list[Row]:
        """Say what either side comes to, by account type and asset."""
        return [
            {
                "account_type": account_type,
                "asset_code": asset_code,
                "ledger_minor": self.ledger[account_type, asset_code],
                "documents_minor": self.told[account_type, asset_code],
            }
            for account_type, asset_code in sorted({*self.ledger, *self.told})
        ]

    @property
    def agree(self) -> bool:
        return not self.counts and self.ledger == self.told
