"""Plans for tests of the ledger's core, as short as the tests need them."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.idempotency import digest
from wallet_service.decide.core import decide
from wallet_service.decide.model import (
    Account,
    Books,
    Facts,
    Holders,
    Original,
    OriginalEntry,
    Posted,
    Verdict,
    Writes,
)
from wallet_service.decide.plan import (
    HOUSE,
    WALLET,
    AccountKey,
    AnyHold,
    BreakLot,
    CaptureHold,
    ExtendLot,
    Leg,
    LotId,
    OpenHold,
    Plan,
    ReleaseHold,
    Spend,
    VoidOf,
)
from wallet_service.decide.policy import Node

FUNDING = AccountKey(HOUSE, "FUNDING", "IDR")
REVENUE = AccountKey(HOUSE, "REVENUE", "IDR")
BREAKAGE = AccountKey(HOUSE, "BREAKAGE", "IDR")

_numbers = itertools.count(1)


def wallet(number: int, asset_code: str = "IDR") -> AccountKey:
    return AccountKey(number, WALLET, asset_code)


def plan(
    kind: str,
    wallet_id: int,
    *legs: Leg,
    hold: AnyHold | None = None,
    request_id: str = "",
) -> Plan:
    name = request_id or f"request-{next(_numbers)}"
    return Plan(
        request_id=name,
        request_digest=digest(name.encode()),
        body_digest=digest(repr((kind, wallet_id, legs, hold)).encode()),
        kind=kind,
        wallet_id=wallet_id,
        legs=legs,
        hold=hold,
        event=b"event" if legs else None,
    )


def top_up(wallet_id: int, minor: int, request_id: str = "") -> Plan:
    legs = Leg(FUNDING, minor), Leg(wallet(wallet_id), -minor)
    return plan("TOP_UP", wallet_id, *legs, request_id=request_id)


def usage(wallet_id: int, minor: int, request_id: str = "") -> Plan:
    legs = Leg(wallet(wallet_id), minor), Leg(REVENUE, -minor)
    return plan("USAGE", wallet_id, *legs, request_id=request_id)


def transfer(source: int, target: int, minor: int) -> Plan:
    return plan("TRANSFER", source, Leg(wallet(source), minor), Leg(wallet(target), -minor))


def booking(wallet_id: int, minor: int, expires_at: datetime | None = None) -> Plan:
    return plan("BOOKING", wallet_id, hold=OpenHold(wallet(wallet_id), minor, expires_at))


def spending(wallet_id: int, minor: int, product_code: str = "") -> Plan:
    """Use something, paid by whoever the wallet's policy says."""
    spend = Spend("IDR", minor, product_code)
    return replace(plan("USAGE", wallet_id, Leg(REVENUE, -minor)), spend=spend)


def spent_booking(wallet_id: int, minor: int, product_code: str = "") -> Plan:
    """Set money aside, paid by whoever the wallet's policy says."""
    return replace(booking(wallet_id, minor), spend=Spend("IDR", minor, product_code))


def commit(wallet_id: int, booking_id: int, minor: int) -> Plan:
    return replace(spending(wallet_id, minor), kind="COMMIT", hold=CaptureHold(booking_id))


def cancellation(wallet_id: int, booking_id: int) -> Plan:
    return plan("CANCELLATION", wallet_id, hold=ReleaseHold(booking_id))


def void(wallet_id: int, transaction_id: int, minor: int = 0) -> Plan:
    """Take a transaction back, all that is left of it if no amount is given."""
    return replace(plan("VOID", wallet_id), void_of=VoidOf(transaction_id, minor))


def extension(wallet_id: int, lot_transaction_id: int, expires_at: datetime) -> Plan:
    """Give the first lot that a transaction added a later expiry."""
    extended = ExtendLot(wallet(wallet_id), LotId(lot_transaction_id, 0), expires_at)
    return replace(plan("EXTENSION", wallet_id), extend_lot=extended)


def breakage(wallet_id: int, lot_transaction_id: int, minor: int) -> Plan:
    """Break the first lot that a transaction added."""
    key = wallet(wallet_id)
    broken = BreakLot(key, LotId(lot_transaction_id, 0), minor)
    legs = Leg(key, minor), Leg(BREAKAGE, -minor)
    return replace(plan("BREAKAGE", wallet_id, *legs), break_lot=broken)


def decide_each(each: Sequence[Plan], books: Books) -> tuple[list[Verdict], Writes]:
    """Decide plans that have nothing to do with one another."""
    verdicts, writes = decide([[plan] for plan in each], books)
    return [verdict for (verdict,) in verdicts], writes


def make_known(books: Books, verdict: Verdict) -> None:
    """Let a later batch know what was posted, as the store would."""
    if not isinstance(verdict, Posted):
        return
    txn = verdict.transaction
    entries = tuple(
        OriginalEntry(each.key, each.amount_minor, each.lot_entries)
        for each in txn.entries
        if each.amount_minor
    )
    original = Original(
        txn.transaction_id, txn.kind, txn.wallet_id, entries, txn.spent_minor, txn.counted
    )
    facts = books.facts
    originals = {**facts.originals, txn.transaction_id: original}
    holders = {
        each: Holders(hold.wallet_id, tuple(part.key for part in hold.parts))
        for each, hold in books.holds.items()
    }
    books.facts = replace(facts, originals=originals, holders=holders)


def own_node(wallet_id: int, state: str = "ACTIVE") -> Node:
    """A wallet that pays for itself, without limits."""
    return Node(wallet_id, 1, (wallet_id,), splits=False, limits=(), state=state)


def put_node(books: Books, node: Node) -> None:
    """Let the next batch know a wallet otherwise."""
    books.facts = replace(books.facts, nodes={**books.facts.nodes, node.wallet_id: node})
    for key, account in books.accounts.items():
        if key.wallet_id == node.wallet_id:
            account.wallet_state = node.state


def books(*wallet_ids: int, first_transaction_id: int = 1) -> Books:
    """Empty books of some wallets in IDR, and of the house."""
    keys = [FUNDING, REVENUE, BREAKAGE, *map(wallet, wallet_ids)]
    return Books(
        accounts={key: Account(number, 0, 0, 0) for number, key in enumerate(keys, 1)},
        facts=Facts({each: own_node(each) for each in wallet_ids}),
        assets=frozenset({"IDR"}),
        first_transaction_id=first_transaction_id,
    )
