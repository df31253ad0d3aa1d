"""One batch in one `db_tx`: lock, load, decide, append, commit."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from wallet_service import ids
from wallet_service.decide.core import decide
from wallet_service.decide.model import HOUSE, Account, AccountKey, Books, OpenHold, Plan, Verdict
from wallet_service.store import posting
from wallet_service.store.appending import append
from wallet_service.store.connections import Connection

Group: TypeAlias = Sequence[Plan]
"""Plans that are accepted together or not at all; most groups have one."""


class AccountIds:
    """Knows accounts by their ids, which never change: locking by id costs half as much."""

    MAX_KNOWN = 100_000

    def __init__(self) -> None:
        self._known: dict[tuple[AccountKey, int], int] = {}

    async def find(
        self, conn: Connection, keys: Iterable[AccountKey], house_stripe: int
    ) -> dict[AccountKey, int]:
        """Answer the ids of accounts, making those that may exist and do not yet."""
        wanted = {key: (key, house_stripe if key.wallet_id == HOUSE else 0) for key in keys}
        new = [key for key, place in wanted.items() if place not in self._known]
        if new:
            await self._learn(conn, new, house_stripe, wanted)
        known = self._known
        return {key: known[place] for key, place in wanted.items() if place in known}

    async def _learn(
        self,
        conn: Connection,
        new: Sequence[AccountKey],
        house_stripe: int,
        places: Mapping[AccountKey, tuple[AccountKey, int]],
    ) -> None:
        if len(self._known) + len(new) > self.MAX_KNOWN:
            self._known.clear()  # Those in use are soon known again.
            new = list(places)
        found = await posting.find_accounts(conn, new, house_stripe)
        if len(found) < len(new):
            await posting.create_accounts(conn, new, house_stripe)
            found = await posting.find_accounts(conn, new, house_stripe)
        self._known.update((places[key], account_id) for key, account_id in found.items())


def accounts_of(groups: Iterable[Group]) -> set[AccountKey]:
    return {key for group in groups for plan in group for key in plan.accounts}


async def run_batch(
    conn: Connection, groups: Sequence[Group], account_ids: Mapping[AccountKey, int], chain: int
) -> list[list[Verdict]]:
    """Give each plan its verdict, durably; what is accepted is appended to a chain.

    The row locks alone give this `db_tx` an id, so its commit waits for the disk, and for a
    synchronous standby, even where every plan is a repeated one: no answer is given before
    it is durable.
    """
    plans = [plan for group in groups for plan in group]
    async with conn.transaction():
        accounts = await posting.lock_accounts(conn, account_ids)
        start = await posting.start_batch(conn, [plan.request_digest for plan in plans], chain)
        books = await _load_books(conn, plans, accounts, start)
        verdicts, writes = decide(groups, books)
        if writes.outcomes:
            await append(conn, writes, books.now, start.head)
    return verdicts


async def _load_books(
    conn: Connection,
    plans: Sequence[Plan],
    accounts: dict[AccountKey, Account],
    start: posting.BatchStart,
) -> Books:
    """Read what the plans depend on besides the accounts, which are locked: most need nothing."""
    last = max(
        (start.head.last_transaction_id, *(each.last_transaction_id for each in accounts.values()))
    )
    booked, voided = _bookings_of(plans), _voided_by(plans)
    complete = all(key in accounts for plan in plans for key in plan.accounts)
    books = Books(
        accounts=accounts,
        holds=await posting.load_holds(conn, booked) if booked else {},
        voidables=await posting.load_voidables(conn, voided) if voided else {},
        outcomes=start.outcomes,
        assets=frozenset() if complete else await posting.load_assets(conn),
        first_transaction_id=ids.first_transaction_id(start.now, start.number, last),
        closed_until=start.closed_until,
    )
    await _load_lots(conn, books)
    return books


async def _load_lots(conn: Connection, books: Books) -> None:
    """Read the lots that may be drawn on, or given back to, into their accounts."""
    accounts = {each.account_id: each for each in books.accounts.values()}
    with_lots = [each.account_id for each in accounts.values() if each.open_lots]
    drawn = {draw.lot_id for each in books.voidables.values() for draw in each.lot_entries}
    if not with_lots and not drawn:
        return
    for lot in await posting.load_lots(conn, with_lots, list(drawn)):
        if lot.account_id in accounts:
            accounts[lot.account_id].lots[lot.lot_id] = lot
    if books.holds and with_lots:
        books.holds = await posting.load_held_lots(conn, books.holds)


def _bookings_of(plans: Sequence[Plan]) -> set[int]:
    return {
        plan.hold.booking_id
        for plan in plans
        if plan.hold is not None and not isinstance(plan.hold, OpenHold)
    }


def _voided_by(plans: Sequence[Plan]) -> set[int]:
    return {plan.void_of.transaction_id for plan in plans if plan.void_of}
