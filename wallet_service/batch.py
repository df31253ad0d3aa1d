"""One batch in one `db_tx`: lock, load, decide, append, commit; and what is known before."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from wallet_service import ids
from wallet_service.decide.core import decide
from wallet_service.decide.legs import accounts_of
from wallet_service.decide.model import (
    Account,
    Books,
    Facts,
    Original,
    OriginalEntry,
    Transaction,
    Verdict,
)
from wallet_service.decide.plan import HOUSE, AccountKey, Plan
from wallet_service.decide.policy import WindowKey
from wallet_service.decide.spending import counted_in
from wallet_service.directory import Directory
from wallet_service.store import posting
from wallet_service.store.appending import append
from wallet_service.store.connections import Connection
from wallet_service.store.reading import load_transactions
from wallet_service.store.windows import lock_windows

Group: TypeAlias = Sequence[Plan]
"""Plans that are accepted together or not at all; most groups have one."""


class AccountIds:
    """Knows accounts by their ids, which never change: locking by id costs half as much."""

    MAX_KNOWN = 100_000

    def __init__(self) -> None:
        self._of_wallets: dict[AccountKey, int] = {}
        self._of_house: dict[int, dict[AccountKey, int]] = {}
        """By stripe."""

    async def find(
        self, conn: Connection, keys: AbstractSet[AccountKey], house_stripe: int
    ) -> dict[AccountKey, int]:
        """Answer the ids of accounts, making those that may exist and do not yet."""
        wallets, house = self._of_wallets, self._of_house.setdefault(house_stripe, {})
        found = {key: wallets[key] for key in keys if key in wallets}
        found.update((key, account_id) for key, account_id in house.items() if key in keys)
        if len(found) < len(keys):
            more = await _find_or_make(conn, list(keys - found.keys()), house_stripe)
            found.update(more)
            self._learn(more, house)
        return found

    def _learn(self, more: Mapping[AccountKey, int], house: dict[AccountKey, int]) -> None:
        if len(self._of_wallets) + len(more) > self.MAX_KNOWN:
            self._of_wallets.clear()  # Those in use are soon known again.
        for key, account_id in more.items():
            known = house if key.wallet_id == HOUSE else self._of_wallets
            known[key] = account_id


async def _find_or_make(
    conn: Connection, keys: Sequence[AccountKey], house_stripe: int
) -> dict[AccountKey, int]:
    found = await posting.find_accounts(conn, keys, house_stripe)
    if len(found) == len(keys):
        return found
    await posting.create_accounts(conn, keys, house_stripe)
    return await posting.find_accounts(conn, keys, house_stripe)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is known of a batch before it locks anything."""

    groups: Sequence[Group]
    plans: Sequence[Plan]
    facts: Facts
    epoch: int | None
    """As of which the facts are right; None where none of them could be wrong."""
    account_ids: Mapping[AccountKey, int]
    """Of the accounts that plans may touch."""
    complete: bool
    """Whether all of them are there."""


class Preparation:
    """Reads what plans need to know and no lock has to keep still, and what accounts they touch."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._account_ids = AccountIds()

    async def prepare(
        self, conn: Connection, groups: Sequence[Group], house_stripe: int
    ) -> Prepared:
        plans = [plan for group in groups for plan in group]
        knowing = {plan.wallet_id for plan in plans if plan.needs_node}
        nodes = await self._directory.nodes(conn, knowing) if knowing else {}
        epoch = self._directory.epoch if knowing else None
        booked = {plan.booking_id for plan in plans if plan.booking_id is not None}
        voided = {plan.void_of.transaction_id for plan in plans if plan.void_of}
        facts = Facts(
            nodes,
            await _load_originals(conn, voided) if voided else {},
            await posting.load_holders(conn, booked) if booked else {},
        )
        keys = {key for plan in plans for key in accounts_of(plan, facts)}
        account_ids = await self._account_ids.find(conn, keys, house_stripe)
        complete = len(account_ids) == len(keys)
        return Prepared(groups, plans, facts, epoch, account_ids, complete)

    def forget(self) -> None:
        """Know no wallet any more: some were changed."""
        self._directory.forget()


async def _load_originals(conn: Connection, transaction_ids: Iterable[int]) -> dict[int, Original]:
    found = await load_transactions(conn, list(transaction_ids))
    return {each: _original(transaction) for each, transaction in found.items()}


def _original(transaction: Transaction) -> Original:
    return Original(
        transaction.transaction_id,
        transaction.kind,
        transaction.wallet_id,
        tuple(
            OriginalEntry(each.key, each.amount_minor, each.lot_entries)
            for each in transaction.entries
            if each.amount_minor
        ),
        transaction.spent_minor,
        transaction.counted,
    )


async def run_batch(conn: Connection, batch: Prepared, chain: int) -> list[list[Verdict]] | None:
    """Give each plan its verdict, durably; what is accepted is appended to a chain.

    Answers None, and does nothing, where a wallet was changed since the batch was prepared.

    The row locks alone give this `db_tx` an id, so its commit waits for the disk, and for a
    synchronous standby, even where every plan is a repeated one: no answer is given before
    it is durable.
    """
    async with conn.transaction():
        accounts = await posting.lock_accounts(conn, batch.account_ids)
        digests = [plan.request_digest for plan in batch.plans]
        start = await posting.start_batch(conn, digests, chain)
        if batch.epoch not in {None, start.epoch}:
            return None
        books = await _load_books(conn, batch, accounts, start)
        verdicts, writes = decide(batch.groups, books)
        if writes.outcomes:
            await append(conn, writes, books.now, start.head)
    return verdicts


async def _load_books(
    conn: Connection,
    batch: Prepared,
    accounts: dict[AccountKey, Account],
    start: posting.BatchStart,
) -> Books:
    """Read what the plans depend on besides the accounts, which are locked: most need nothing."""
    last = max(
        (start.head.last_transaction_id, *(each.last_transaction_id for each in accounts.values()))
    )
    facts = batch.facts
    books = Books(
        accounts=accounts,
        facts=facts,
        holds=await posting.load_holds(conn, facts.holders) if facts.holders else {},
        voided=await posting.load_voided(conn, facts.originals) if facts.originals else {},
        outcomes=start.outcomes,
        assets=frozenset() if batch.complete else await posting.load_assets(conn),
        first_transaction_id=ids.first_transaction_id(start.now, start.number, last),
        closed_until=start.closed_until,
    )
    await _load_lots(conn, books)
    if windows := _windows(batch.plans, books):
        books.windows = await lock_windows(conn, windows)
    return books


async def _load_lots(conn: Connection, books: Books) -> None:
    """Read the lots that may be drawn on, or given back to, into their accounts."""
    accounts = {each.account_id: each for each in books.accounts.values()}
    with_lots = [each.account_id for each in accounts.values() if each.open_lots]
    drawn = {
        draw.lot_id
        for original in books.facts.originals.values()
        for entry in original.entries
        for draw in entry.lot_entries
    }
    if not with_lots and not drawn:
        return
    for lot in await posting.load_lots(conn, with_lots, list(drawn)):
        if lot.account_id in accounts:
            accounts[lot.account_id].lots[lot.lot_id] = lot
    if books.holds and with_lots:
        books.holds = await posting.load_held_lots(conn, books.holds)


def _windows(plans: Sequence[Plan], books: Books) -> set[WindowKey]:
    """Answer the windows in which plans may count, in most batches none."""
    counting = (plan for plan in plans if _may_count(plan, books))
    return {window for plan in counting for window in counted_in(plan, books)}


def _may_count(plan: Plan, books: Books) -> bool:
    if plan.booking_id is not None:
        return plan.booking_id in books.holds
    if plan.void_of:
        return plan.void_of.transaction_id in books.facts.originals
    return plan.spend is not None and plan.wallet_id in books.facts.nodes
