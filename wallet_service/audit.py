"""Recomputes the books from their entries, one transaction after the other. Pure.

What it keeps in mind grows with the number of accounts, not of transactions.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from wallet_service import ids
from wallet_service.chain import Content, Head, link
from wallet_service.decide.model import Entry, Transaction

GENESIS = bytes(32)
"""The hash before the first of a chain."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that is not what it should be, and why."""

    table: str
    row: str
    detail: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A transaction as the tables have it."""

    content: Content
    chain: int | None
    hash: bytes | None
    paid_by_others: bool
    entries_effective_at: tuple[datetime | None, ...]
    entries_asset_code: tuple[str, ...]

    @property
    def transaction(self) -> Transaction:
        return self.content.transaction


@dataclass(slots=True)
class AccountState:
    """What an account comes to by its entries."""

    balance_minor: int = 0
    held_minor: int = 0
    last_transaction_id: int = 0


@dataclass(slots=True)
class Auditor:
    """Sees every transaction in the order of ids, and says what is off."""

    known_heads: Mapping[int, Head] = field(default_factory=dict)
    """By the id of their last transaction."""
    accounts: dict[int, AccountState] = field(default_factory=lambda: defaultdict(AccountState))
    heads: dict[int, Head] = field(default_factory=dict)
    transactions: int = 0
    entries: int = 0

    def see(self, recorded: Recorded) -> Iterator[Finding]:
        """Take a transaction in; answer what is off about it and its entries."""
        self.transactions += 1
        self.entries += len(recorded.transaction.entries)
        yield from self._link(recorded)
        yield from _times(recorded)
        yield from _finding_aid(recorded)
        yield from _sums(recorded.transaction)
        for leg_index, entry in enumerate(recorded.transaction.entries):
            yield from self._balance(recorded, leg_index, entry)

    def _link(self, recorded: Recorded) -> Iterator[Finding]:
        txn_id = recorded.transaction.transaction_id
        row = f"transaction_id={txn_id}"
        if recorded.chain is None or recorded.hash is None:
            if self.heads:
                yield Finding("transactions", row, "it is in no chain, though others before it are")
            return
        before = self.heads[recorded.chain].hash if recorded.chain in self.heads else GENESIS
        computed = link(before, recorded.content)
        if computed != recorded.hash:
            yield Finding(
                "transactions",
                row,
                f"its hash is {recorded.hash.hex()}, but its content and the link before it in "
                f"chain {recorded.chain} give {computed.hex()}: it, its entries or its draws were "
                "altered, or the transaction before it was removed or put in",
            )
        # Going on from what is stored, one bad row is one finding.
        self.heads[recorded.chain] = head = Head(recorded.chain, txn_id, recorded.hash)
        known = self.known_heads.get(txn_id)
        if known and known != head:
            yield Finding("transactions", row, "its hash or chain is not the one that was noted")

    def _balance(self, recorded: Recorded, leg_index: int, entry: Entry) -> Iterator[Finding]:
        txn = recorded.transaction
        row = f"transaction_id={txn.transaction_id}, leg_index={leg_index}"
        account = self.accounts[entry.account_id]
        balance_minor = account.balance_minor + entry.amount_minor
        held_minor = account.held_minor + entry.held_change_minor
        for name, stored, computed in (
            ("balance_after_minor", entry.balance_after_minor, balance_minor),
            ("held_after_minor", entry.held_after_minor, held_minor),
            ("asset_code", recorded.entries_asset_code[leg_index], entry.key.asset_code),
            ("effective_at", recorded.entries_effective_at[leg_index], txn.shifted_at),
        ):
            if stored != computed:
                yield _off("entries", row, name, stored, computed)
        account.balance_minor = entry.balance_after_minor
        account.held_minor = entry.held_after_minor
        account.last_transaction_id = txn.transaction_id

    def missing_heads(self) -> Iterator[Finding]:
        """Say which noted heads are of transactions that are gone."""
        reached = {head.chain: head.last_transaction_id for head in self.heads.values()}
        for known in self.known_heads.values():
            if reached.get(known.chain, 0) < known.last_transaction_id:
                row = f"transaction_id={known.last_transaction_id}"
                yield Finding("transactions", row, f"chain {known.chain} ends before it")

    def head_of(self, stored: Head) -> Iterator[Finding]:
        """Compare a chain's stored head with what was reached."""
        reached = self.heads.get(stored.chain, Head(stored.chain, 0, GENESIS))
        if stored != reached:
            yield Finding(
                "chains",
                f"chain={stored.chain}",
                f"it ends at {stored.last_transaction_id} {stored.hash.hex()}, but its "
                f"transactions end at {reached.last_transaction_id} {reached.hash.hex()}",
            )

    def account(self, account_id: int, stored: AccountState) -> Iterator[Finding]:
        """Compare an account's row with what its entries came to."""
        computed = self.accounts.pop(account_id, None) or AccountState()
        row = f"account_id={account_id}"
        for name in AccountState.__slots__:
            if getattr(stored, name) != getattr(computed, name):
                yield _off("accounts", row, name, getattr(stored, name), getattr(computed, name))

    def missing_accounts(self) -> Iterator[Finding]:
        """Say which accounts have entries and no row; after all rows were compared."""
        for account_id in self.accounts:
            yield Finding("accounts", f"account_id={account_id}", "it has entries, but no row")


def _times(recorded: Recorded) -> Iterator[Finding]:
    txn = recorded.transaction
    written_at = ids.recorded_at(txn.transaction_id)
    if txn.recorded_at != written_at:
        row = f"transaction_id={txn.transaction_id}"
        yield _off("transactions", row, "recorded_at", txn.recorded_at, written_at)


def _finding_aid(recorded: Recorded) -> Iterator[Finding]:
    txn, stored = recorded.transaction, recorded.paid_by_others
    if stored != txn.paid_by_others:
        row = f"transaction_id={txn.transaction_id}"
        yield _off("transactions", row, "paid_by_others", stored, txn.paid_by_others)


def _sums(txn: Transaction) -> Iterator[Finding]:
    row = f"transaction_id={txn.transaction_id}"
    if not txn.entries:
        yield Finding("entries", row, "it has none")
    for asset_code, total_minor in _totals(txn.entries).items():
        if total_minor:
            yield Finding("entries", row, f"they sum to {total_minor} in {asset_code}, not to zero")


def _totals(entries: Iterable[Entry]) -> dict[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for entry in entries:
        totals[entry.key.asset_code] += entry.amount_minor
    return totals


def _off(table: str, row: str, name: str, stored: object, computed: object) -> Finding:
    return Finding(table, row, f"{name} is {stored}, but should be {computed}")
