"""The same money seen twice, once the story is over: by the ledger, and by finance."""

from collections.abc import Sequence
from dataclasses import dataclass

from devstack.demo.audit import Audit
from devstack.demo.dead_letters import DeadLetter
from devstack.demo.documents import Document
from devstack.demo.reconciliation import Reconciliation


@dataclass(frozen=True, slots=True)
class Books:
    audit: Audit
    letter: DeadLetter
    before_replay: Sequence[Document]
    """What finance had while the dead letter waited."""
    documents: Sequence[Document]
    """What finance has in the end."""
    reconciliation: Reconciliation
