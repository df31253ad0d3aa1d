"""Hash chains over the transactions: what a link covers, and how it is made. Pure.

A link is the SHA-256 of the hash before it and of the transaction's content, which is UTF-8 text
of one line for each thing that was written, then the event's bytes:

    <transaction id> <kind> <wallet> <booking> <voided transaction> <effective> <recorded>
    <request id>
    <reference>
    <metadata>
    <price book version>
    <charges>
    <exchange rate>
    <traceparent>
    <a booking's expiry>
    entry <leg> <account> <asset> <amount> <held change> <balance> <held> <credit limit>
    draw <leg> <lot's transaction> <lot's number> <amount> <held change>
    opens <lot's number> <account> <kind> <priority> <expires> <amount>
    spent <amount>
    counted <wallet> <asset> <product> <period> <first day>
    event

Times are microseconds since 2024, absent numbers are 0, absent texts empty, JSON is without
spaces and with sorted keys; what did not spend has no such lines. No field holds a line break, so
no two contents look alike.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from wallet_service import ids
from wallet_service.decide.model import Entry, OpenedLot, Transaction

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a chain."""

    chain: int
    last_transaction_id: int
    hash: bytes


class Content(NamedTuple):
    """All that is written of a transaction."""

    transaction: Transaction
    event: bytes | None
    traceparent: str


def link(before: bytes, content: Content) -> bytes:
    """Answer the hash of a transaction that follows the one with the hash `before`."""
    return hashlib.sha256(
        before + _text(content).encode() + (content.event or b""), usedforsecurity=True
    ).digest()


def links(before: bytes, contents: Iterable[Content]) -> list[bytes]:
    """Answer the hashes of transactions that follow one another."""
    hashes = []
    for content in contents:
        before = link(before, content)
        hashes.append(before)
    return hashes


def _text(content: Content) -> str:
    txn = content.transaction
    lines = [
        _first_line(txn),
        txn.request_id,
        txn.reference,
        txn.metadata_json,
        txn.price_book_version,
        txn.charges_json,
        txn.exchange_rate_json,
        content.traceparent,
        _moment(txn.expires_at if txn.kind == "BOOKING" else None),
    ]
    lines += [_entry_lines(leg_index, entry) for leg_index, entry in enumerate(txn.entries)]
    if txn.opened_lots:
        lines += map(_opening_line, txn.opened_lots)
    if txn.spent_minor is not None:
        lines.append(f"spent {txn.spent_minor}")
        lines += [f"counted {' '.join(map(str, window))}" for window in txn.counted]
    lines.append("event\n")
    return "\n".join(lines)


def _first_line(txn: Transaction) -> str:
    recorded = _micros(txn.recorded_at)
    effective = recorded if txn.shifted_at is None else _micros(txn.effective_at)
    return (
        f"{txn.transaction_id} {txn.kind} {txn.wallet_id} {txn.booking_id or 0} "
        f"{txn.voids_transaction_id or 0} {effective} {recorded}"
    )


def _entry_lines(leg_index: int, entry: Entry) -> str:
    key, account_id, amount, held_change, balance, held, credit_limit, draws = entry
    line = (
        f"entry {leg_index} {account_id} {key.asset_code} {amount} {held_change} {balance} {held} "
        f"{credit_limit}"
    )
    for draw in draws:
        transaction_id, lot_index = draw.lot_id
        line += (
            f"\ndraw {leg_index} {transaction_id} {lot_index} "
            f"{draw.amount_minor} {draw.held_change_minor}"
        )
    return line


def _opening_line(lot: OpenedLot) -> str:
    kind, priority, expires_at = lot.terms
    return (
        f"opens {lot.lot_id.lot_index} {lot.account_id} {kind} {priority} "
        f"{_moment(expires_at)} {lot.amount_minor}"
    )


def _moment(moment: datetime | None) -> str:
    return str(_micros(moment)) if moment else "0"


@lru_cache(maxsize=1024)
def _micros(moment: datetime) -> int:
    return (moment - ids.EPOCH) // _MICROSECOND
