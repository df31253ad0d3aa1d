"""What is done to a dead letter: each act is in the audit trail before it is done."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from walletctl.finance.acts import Act
from walletctl.finance.clients import Desk
from walletctl.finance.letters import Letter, row_of

Mend = Callable[[Letter], dict[str, Any]]
"""Mends a letter and answers its row, with the `outcome`."""


def find(desk: Desk, wanted: Callable[[Letter], bool], limit: int) -> list[Letter]:
    """Lease the letters that are wanted, at most `limit`; answer them, the oldest first."""
    found: list[Letter] = []
    for letter in desk.queue.letters():
        if wanted(letter):
            found.append(letter)
        if len(found) == limit:
            break
    return sorted(found, key=lambda each: (each.first_seen_at, each.letter_id))


def replay(desk: Desk, operator: str, reason: str, letter: Letter) -> dict[str, Any]:
    """Publish a letter to the events' topic again, and take it away.

    Killed in between, it is replayed once more: the event is written once, however often it comes.
    """
    effect = effect_of(desk, letter)
    desk.acts.record(_act(operator, "REPLAY", reason, letter))
    desk.queue.publish_again(letter, reason)
    desk.queue.settle(letter)
    return {**row_of(letter), "outcome": "replayed", "effect": effect}


def discard(desk: Desk, operator: str, reason: str, letter: Letter) -> dict[str, Any]:
    desk.acts.record(_act(operator, "DISCARD", reason, letter))
    desk.queue.settle(letter)
    return {**row_of(letter), "outcome": "discarded", "effect": "none"}


def effect_of(desk: Desk, letter: Letter) -> str:
    """Say what a replay does: nothing where the event's document is there."""
    written = desk.documents.has(letter.event_id)
    return "already written: no second effect" if written else "to be written"


def paced(desk: Desk, letters: Sequence[Letter], rate: float) -> Iterator[Letter]:
    """Give letter after letter, at most `rate` a second, and keep the leases of the others."""
    start_s = time.monotonic()
    for number, letter in enumerate(letters):
        time.sleep(max(0.0, start_s + number / rate - time.monotonic()))
        desk.queue.keep()
        yield letter


def _act(operator: str, kind: str, reason: str, letter: Letter) -> Act:
    return Act(
        operator=operator,
        kind=kind,
        reason=reason,
        event_id=letter.event_id,
        letter_id=letter.letter_id,
        wallet_id=letter.wallet_id,
        fault=letter.reason,
    )
