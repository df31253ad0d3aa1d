"""What events do in Firestore, and how much of it one commit takes. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from transaction_service.erp_sink.aggregates import Additions, Key, additions_of
from transaction_service.erp_sink.document import Document, document_of
from transaction_service.erp_sink.event import Event

MAX_WRITES = 500


@dataclass(frozen=True, slots=True)
class Effect:
    """One event's: its document is created, and the aggregates grow, both or neither."""

    document: Document
    additions: Additions


Effects = Mapping[str, Effect]
"""By the id of the document."""


def effect_of(event: Event) -> Effect:
    return Effect(document_of(event), additions_of(event))


def commits_of(effects: Effects) -> Iterator[Effects]:
    """Cut `effects` into commits: their documents and aggregates are at most 500 in each."""
    commit: dict[str, Effect] = {}
    keys: set[Key] = set()
    for document_id, effect in effects.items():
        new = sum(key not in keys for key in effect.additions)
        if len(commit) + 1 + len(keys) + new > MAX_WRITES:
            yield commit
            commit, keys = {}, set()
        commit[document_id] = effect
        keys.update(effect.additions)
    if commit:
        yield commit


def halves_of(effects: Effects) -> tuple[Effects, Effects]:
    items = list(effects.items())
    middle = len(items) // 2
    return dict(items[:middle]), dict(items[middle:])
