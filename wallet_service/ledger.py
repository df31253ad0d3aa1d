"""Posting transactions, by the batch."""

from collections.abc import Sequence
from typing import TypeAlias

import asyncpg
import structlog

from shared.coalesce import Coalescer
from shared.errors import Unavailable
from shared.telemetry import Metrics
from wallet_service import ids
from wallet_service.decide.core import decide
from wallet_service.decide.model import (
    Account,
    AccountKey,
    Books,
    OpenHold,
    Plan,
    Posted,
    Stored,
    Transaction,
    Verdict,
)
from wallet_service.errors import Refusal
from wallet_service.store import posting, reading
from wallet_service.store.appending import append
from wallet_service.store.connections import Connection, Pool, connection

MAX_ATTEMPTS = 8
"""How often a batch is tried again when another one got in its way."""

Answer: TypeAlias = Transaction | Refusal
Group: TypeAlias = Sequence[Plan]
"""Plans that are accepted together or not at all; most groups have one."""

_log = structlog.get_logger()


class Ledger:
    """Posts plans, as many at once as wait, each batch in one `db_tx`.

    `house_stripes` are the stripes of the house's accounts that this process writes to, one for
    each batch under way: so no two batches, of this process or another, meet there. A batch has
    at most `max_batch` plans, or those of a single larger group.
    """

    def __init__(
        self,
        posting_pool: Pool,
        reading_pool: Pool,
        house_stripes: Sequence[int],
        metrics: Metrics,
        max_batch: int = 400,
    ) -> None:
        self._posting_pool = posting_pool
        self._reading_pool = reading_pool
        self._free_stripes = list(house_stripes)
        self._metrics = metrics
        self._coalescer: Coalescer[Group, list[Answer]] = Coalescer(
            self._settle, weight=len, max_batch=max_batch, slots=len(house_stripes)
        )

    async def post(self, plan: Plan) -> Answer:
        """Give a plan its verdict, durably; as `post_group` with a group of one."""
        (answer,) = await self.post_group((plan,))
        return answer

    async def post_group(self, group: Group) -> list[Answer]:
        """Give plans their verdicts, durably: all are accepted, or none is. At most 1,000.

        The same request id and body get the first verdict again, whatever came after. Raises
        `ResourceExhausted` where too many wait, `Unavailable` where the database does not
        answer: then the outcome is unknown, and the same plans may be posted again.
        """
        return await self._coalescer.submit(group)

    async def post_groups(self, groups: Sequence[Group]) -> list[list[Answer]]:
        """Post groups that have nothing to do with one another; each as `post_group`."""
        return await self._coalescer.submit_all(groups)

    async def drain(self) -> None:
        await self._coalescer.drain()

    async def _settle(self, groups: Sequence[Group]) -> Sequence[list[Answer] | Exception]:
        self._metrics.increment("batches")
        self._metrics.histogram("batch_plans", sum(map(len, groups)))
        try:
            verdicts = await self._decide_batch(groups)
            return await self._answers(verdicts)
        except asyncpg.PostgresError:
            # The database objects to one of them, which is a fault of ours. The others must not
            # suffer for it.
            if len(groups) == 1:
                raise
            _log.exception("a batch was refused by the database", groups=len(groups))
            return [await self._settle_alone(group) for group in groups]

    async def _settle_alone(self, group: Group) -> list[Answer] | Exception:
        try:
            return (await self._settle([group]))[0]
        except Exception as error:  # noqa: BLE001 (handed to the one caller it concerns)
            return error

    async def _decide_batch(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        stripe = self._free_stripes.pop()
        try:
            return await self._decide_on(stripe, groups)
        finally:
            self._free_stripes.append(stripe)

    async def _decide_on(self, stripe: int, groups: Sequence[Group]) -> list[list[Verdict]]:
        keys = list({key for group in groups for plan in group for key in plan.accounts})
        may_create = True
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                async with connection(self._posting_pool) as conn:
                    if verdicts := await _try_batch(
                        conn, stripe, groups, keys, may_create=may_create
                    ):
                        return verdicts
                    await posting.create_accounts(conn, keys, stripe)
                    may_create = False
            except (asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError):
                # Another process decided one of these request ids, or locked in another order.
                if attempt == MAX_ATTEMPTS:
                    raise
        raise Unavailable("CONTENTION", "too many batches met on the same rows")

    async def _answers(self, verdicts: Sequence[Sequence[Verdict]]) -> list[list[Answer]]:
        """Turn verdicts into answers, reading back what earlier calls had posted."""
        stored = [
            each.transaction_id for group in verdicts for each in group if isinstance(each, Stored)
        ]
        earlier = await self._load(stored) if stored else {}
        return [[_answer(each, earlier) for each in group] for group in verdicts]

    async def _load(self, transaction_ids: Sequence[int]) -> dict[int, Transaction]:
        async with connection(self._reading_pool) as conn:
            return await reading.load_transactions(conn, transaction_ids)


async def _try_batch(
    conn: Connection,
    stripe: int,
    groups: Sequence[Group],
    keys: Sequence[AccountKey],
    *,
    may_create: bool,
) -> list[list[Verdict]] | None:
    """Lock, load, decide, append, commit; None if accounts are to be created first.

    The row locks alone give this `db_tx` an id, so its commit waits for the disk, and for a
    synchronous standby, even where every plan is a repeated one: no answer is given before
    it is durable.
    """
    plans = [plan for group in groups for plan in group]
    async with conn.transaction():
        accounts = await posting.lock_accounts(conn, keys, stripe)
        if len(accounts) < len(keys) and may_create:
            return None
        start = await posting.start_batch(conn, [plan.request_digest for plan in plans], stripe)
        books = await _load_books(conn, plans, accounts, start, complete=len(accounts) == len(keys))
        verdicts, writes = decide(groups, books)
        if writes.outcomes:
            await append(conn, writes, books.now, start.head)
    return verdicts


async def _load_books(
    conn: Connection,
    plans: Sequence[Plan],
    accounts: dict[AccountKey, Account],
    start: posting.BatchStart,
    *,
    complete: bool,
) -> Books:
    """Read what the plans depend on besides the accounts, which are locked: most need nothing."""
    last = max(
        (start.head.last_transaction_id, *(each.last_transaction_id for each in accounts.values()))
    )
    booked, voided = _bookings_of(plans), _voided_by(plans)
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


def _answer(verdict: Verdict, earlier: dict[int, Transaction]) -> Answer:
    if isinstance(verdict, Posted):
        return verdict.transaction
    if isinstance(verdict, Stored):
        return earlier[verdict.transaction_id].as_first_answered()
    return verdict
