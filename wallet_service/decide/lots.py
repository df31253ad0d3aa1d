"""Which parts of a balance a plan draws on, and which it gives back to.

The rules are in docs/ledger.md, "Lots". Nothing here changes a lot: the answer is what each entry
changes on each lot, and which lots are opened.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from wallet_service.decide.model import Account, Books, HoldPart, Lot, LotEntry, Moved, OpenedLot
from wallet_service.decide.plan import (
    AccountKey,
    CaptureHold,
    ExtendLot,
    Leg,
    LotId,
    LotTerms,
    OpenHold,
    Plan,
    ReleaseHold,
)
from wallet_service.decide.voids import voided_parts

PLAIN = LotId(0, 0)
"""Stands for the plain part: what was added without terms."""

PLAIN_TERMS = LotTerms("PAID", 100, None)

CARRYING_KINDS = frozenset({"TRANSFER", "ASSIGNMENT", "UNASSIGNMENT"})
"""What goes to another wallet takes its terms along."""

_NEVER = datetime.max.replace(tzinfo=UTC)


class Draw(NamedTuple):
    """So much of one part."""

    lot_id: LotId
    minor: int


class LotChanges(NamedTuple):
    """What a plan does to the lots of each account, and which lots it opens."""

    entries: Mapping[AccountKey, tuple[LotEntry, ...]]
    opened: tuple[OpenedLot, ...]


NO_CHANGES = LotChanges({}, ())


def spendable_minor(account: Account, now: datetime) -> int:
    """Answer what may be spent: of expired lots nothing."""
    expired = (lot.free_minor for lot in account.lots.values() if is_expired(lot, now))
    return account.available_minor - sum(expired)


def is_expired(lot: Lot, now: datetime) -> bool:
    expires_at = lot.terms.expires_at
    return expires_at is not None and expires_at <= now


def lot_changes(
    plan: Plan, moved: Sequence[Moved], books: Books, transaction_id: int
) -> LotChanges:
    """Answer what a plan changes on lots, which is nothing for nearly all."""
    if plan.lot is None and not any(account.lots for _, account in moved):
        return NO_CHANGES
    changes = _PlanChanges(plan, books, transaction_id)
    for leg, account in sorted(moved, key=lambda each: each[0].amount_minor < 0):
        changes.move(leg, account)
    return LotChanges(changes.entries, changes.lasting())


class _PlanChanges:
    """Goes through a plan's legs, debits first: what they draw on may be carried along."""

    def __init__(self, plan: Plan, books: Books, transaction_id: int) -> None:
        self._plan = plan
        self._books = books
        self._transaction_id = transaction_id
        self._carried: list[tuple[str, LotTerms | None, int]] = []
        self.entries: dict[AccountKey, tuple[LotEntry, ...]] = {}
        self.opened: list[OpenedLot] = []

    def move(self, leg: Leg, account: Account) -> None:
        parts = _Parts(account, self._books.now)
        self._move_held(leg, parts)
        if self._plan.extend_lot:
            self._extend(self._plan.extend_lot, account, parts)
        if leg.amount_minor > 0:
            self._debit(leg, parts)
        if leg.amount_minor < 0:
            self._credit(leg, parts)
        parts.pay_debts(account.free_minor - leg.amount_minor - leg.held_change_minor)
        self.entries[leg.key] = parts.entries()

    def lasting(self) -> tuple[OpenedLot, ...]:
        """Answer the lots that were opened, but for those that went into a debt as a whole."""
        changed = {each.lot_id for entries in self.entries.values() for each in entries}
        return tuple(lot for lot in self.opened if lot.lot_id in changed)

    def _extend(self, wanted: ExtendLot, account: Account, parts: "_Parts") -> None:
        """Give what is free of a lot new terms, as a lot of its own."""
        lot = account.lots[wanted.lot_id]
        parts.change(lot.lot_id, lot.free_minor, 0)
        self._open(parts, lot.terms._replace(expires_at=wanted.expires_at), lot.free_minor)

    def _move_held(self, leg: Leg, parts: "_Parts") -> None:
        hold, held_minor = self._plan.hold, leg.held_change_minor
        if hold is None or not held_minor:
            return
        if isinstance(hold, OpenHold):
            for lot_id, minor in parts.draw(held_minor):
                parts.change(lot_id, 0, minor)
            return
        part = self._part(hold.booking_id, leg.key)
        held = parts.held_by(part.lots, part.remaining_minor)
        if isinstance(hold, ReleaseHold):
            for lot_id, minor in held:
                parts.change(lot_id, 0, -minor)
        else:
            for lot_id, minor in _first(held, -held_minor):
                parts.change(lot_id, minor, -minor)

    def _part(self, booking_id: int, key: AccountKey) -> HoldPart:
        return next(each for each in self._books.holds[booking_id].parts if each.key == key)

    def _debit(self, leg: Leg, parts: "_Parts") -> None:
        plan = self._plan
        if isinstance(plan.hold, CaptureHold) and leg.held_change_minor:
            return
        if plan.break_lot:
            draws = [Draw(plan.break_lot.lot_id, leg.amount_minor)]
        else:
            voided = plan.void_of.transaction_id if plan.void_of else None
            draws = parts.draw(leg.amount_minor, opened_by=voided)
        for lot_id, minor in draws:
            parts.change(lot_id, minor, 0)
            if plan.kind in CARRYING_KINDS:
                terms = None if lot_id == PLAIN else parts.terms(lot_id)
                self._carried.append((leg.key.asset_code, terms, minor))

    def _credit(self, leg: Leg, parts: "_Parts") -> None:
        plan, minor = self._plan, -leg.amount_minor
        if plan.void_of:
            for lot_id, part_minor in self._given_back(leg, plan.void_of.transaction_id, parts):
                parts.change(lot_id, -part_minor, 0)
        elif plan.lot and leg.key.wallet_id == plan.wallet_id:
            self._open(parts, plan.lot, minor)
        elif plan.kind in CARRYING_KINDS:
            for terms, part_minor in self._poured(leg.key.asset_code, minor):
                self._open(parts, terms, part_minor)

    def _poured(self, asset_code: str, minor: int) -> list[tuple[LotTerms, int]]:
        """Take what was drawn, in order, up to `minor`; answer what of it has terms."""
        poured, kept = [], []
        for asset, terms, part_minor in self._carried:
            taken = min(part_minor, minor) if asset == asset_code else 0
            minor -= taken
            if taken and terms:
                poured.append((terms, taken))
            kept.append((asset, terms, part_minor - taken))
        self._carried = kept
        return poured

    def _given_back(self, leg: Leg, transaction_id: int, parts: "_Parts") -> list[Draw]:
        """Answer what a void gives back to an account: what was drawn last comes first."""
        original = self._books.facts.originals[transaction_id]
        entry = next(each for each in original.entries if each.key == leg.key)
        voided_minor = self._books.voided.get(transaction_id, 0)
        before_minor = abs(voided_parts(original, voided_minor)[leg.key])
        on_lots = {each.lot_id: each.amount_minor for each in entry.lot_entries}
        drawn = parts.held_by(on_lots, abs(entry.amount_minor))[::-1]
        after = _first(drawn, before_minor - leg.amount_minor)
        before = dict(_first(drawn, before_minor))
        return [Draw(lot_id, minor - before.get(lot_id, 0)) for lot_id, minor in after]

    def _open(self, parts: "_Parts", terms: LotTerms, minor: int) -> None:
        lot_id = LotId(self._transaction_id, len(self.opened))
        self.opened.append(OpenedLot(lot_id, parts.account_id, terms, minor))
        parts.open(lot_id, terms, minor)


class _Parts:
    """The parts of one account's balance while a plan moves it."""

    def __init__(self, account: Account, now: datetime) -> None:
        self.account_id = account.account_id
        self._now = now
        self._terms = {lot_id: lot.terms for lot_id, lot in account.lots.items()}
        self._terms[PLAIN] = PLAIN_TERMS
        self._free = {lot_id: lot.free_minor for lot_id, lot in account.lots.items()}
        self._free[PLAIN] = account.free_minor - sum(self._free.values())
        self._changes: dict[LotId, tuple[int, int]] = {}

    def terms(self, lot_id: LotId) -> LotTerms:
        return self._terms[lot_id]

    def draw(self, minor: int, opened_by: int | None = None) -> list[Draw]:
        """Draw on what is free and not expired, first on lots of one transaction.

        What they do not cover is owed, by the plain part.
        """
        usable = [
            Draw(lot_id, free)
            for lot_id, free in self._free.items()
            if free > 0 and not self._is_expired(lot_id)
        ]
        usable.sort(key=lambda each: (each.lot_id.transaction_id != opened_by, self._order(each)))
        draws = _first(usable, minor)
        owed_minor = minor - sum(each.minor for each in draws)
        return [*draws, Draw(PLAIN, owed_minor)] if owed_minor else draws

    def held_by(self, on_lots: Mapping[LotId, int], minor: int) -> list[Draw]:
        """Answer the parts of what was drawn before, in the order of drawing."""
        parts = [Draw(lot_id, part) for lot_id, part in on_lots.items() if part]
        if plain_minor := minor - sum(on_lots.values()):
            parts.append(Draw(PLAIN, plain_minor))
        return sorted(parts, key=self._order)

    def open(self, lot_id: LotId, terms: LotTerms, minor: int) -> None:
        self._terms[lot_id] = terms
        self._free[lot_id] = 0
        self.change(lot_id, -minor, 0)

    def change(self, lot_id: LotId, amount_minor: int, held_change_minor: int) -> None:
        before = self._changes.get(lot_id, (0, 0))
        self._changes[lot_id] = before[0] + amount_minor, before[1] + held_change_minor
        self._free[lot_id] -= amount_minor + held_change_minor

    def pay_debts(self, free_minor: int) -> None:
        """Draw on lots for what the plain part is overdrawn by, of `free_minor` in all."""
        on_lots = sum(free for lot_id, free in self._free.items() if lot_id != PLAIN)
        self._free[PLAIN] = free_minor - on_lots
        if self._free[PLAIN] >= 0:
            return
        for lot_id, minor in self.draw(-self._free[PLAIN]):
            if lot_id != PLAIN:
                self.change(lot_id, minor, 0)

    def entries(self) -> tuple[LotEntry, ...]:
        """Answer what changed on lots, in the order of drawing."""
        return tuple(
            LotEntry(lot_id, *change)
            for lot_id, change in self._changes.items()
            if lot_id != PLAIN and any(change)
        )

    def _is_expired(self, lot_id: LotId) -> bool:
        expires_at = self._terms[lot_id].expires_at
        return expires_at is not None and expires_at <= self._now

    def _order(self, part: Draw) -> tuple[int, datetime, LotId]:
        _, priority, expires_at = self._terms[part.lot_id]
        return priority, expires_at or _NEVER, part.lot_id


def _first(parts: Iterable[Draw], minor: int) -> list[Draw]:
    """Answer the parts that come first, as many as make up `minor`, or all."""
    taken = []
    for lot_id, part_minor in parts:
        if minor <= 0:
            break
        taken.append(Draw(lot_id, min(part_minor, minor)))
        minor -= part_minor
    return taken
