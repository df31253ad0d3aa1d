"""What Pub/Sub hands over, and how a pile of it is sorted. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from transaction_service.erp_sink.decode import decode
from transaction_service.erp_sink.effects import Effect, effect_of
from transaction_service.erp_sink.event import Fault


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message, as delivered once; `ack_id` names this delivery."""

    ack_id: str
    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    delivery: Delivery
    fault: Fault


@dataclass(frozen=True, slots=True)
class Pile:
    """Effects to have, by document, each with the deliveries it came in; and the dead letters."""

    effects: dict[str, Effect] = field(default_factory=dict)
    deliveries: dict[str, list[Delivery]] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)


def sort(deliveries: Iterable[Delivery], account_codes: Collection[str]) -> Pile:
    """Tell events from dead letters; an event delivered twice has one effect."""
    pile = Pile()
    for each in deliveries:
        event = decode(each.data, each.attributes, account_codes)
        if isinstance(event, Fault):
            pile.dead_letters.append(DeadLetter(each, event))
            continue
        pile.effects.setdefault(event.transaction_id, effect_of(event))
        pile.deliveries.setdefault(event.transaction_id, []).append(each)
    return pile
