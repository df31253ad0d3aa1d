"""Posting and reading transactions: one coroutine for each use case."""

from collections.abc import Sequence

import asyncpg
import structlog

from shared.coalesce import Coalescer
from shared.errors import Unavailable
from shared.telemetry import Metrics
from wallet_service import ids
from wallet_service.decide.core import decide
from wallet_service.decide.model import (
    AccountKey,
    Books,
    OpenHold,
    Plan,
    Posted,
    Stored,
    Transaction,
    Verdict,
)
from wallet_service.errors import Refusal, transaction_not_found, wallet_not_found
from wallet_service.store import posting, reading, wallets
from wallet_service.store.connections import Connection, Pool, connection

MAX_ATTEMPTS = 8
"""How often a batch is tried again when another one got in its way."""

_log = structlog.get_logger()


class Ledger:
    """Posts plans, as many at once as wait, each batch in one `db_tx`.

    `house_stripes` are the stripes of the house's accounts that this process writes to, one for
    each batch under way: so no two batches, of this process or another, meet there.
    """

    def __init__(
        self, posting_pool: Pool, reading_pool: Pool, house_stripes: Sequence[int], metrics: Metrics
    ) -> None:
        self._posting_pool = posting_pool
        self._reading_pool = reading_pool
        self._free_stripes = list(house_stripes)
        self._metrics = metrics
        self._coalescer: Coalescer[Plan, Transaction | Refusal] = Coalescer(
            self._settle, slots=len(house_stripes)
        )

    async def post(self, plan: Plan) -> Transaction | Refusal:
        """Give a plan its verdict, durably.

        The same request id and body get the first verdict again, whatever came after. Raises
        `ResourceExhausted` where too many plans wait, `Unavailable` where the database does
        not answer: then the outcome is unknown, and the same plan may be posted again.
        """
        return await self._coalescer.submit(plan)

    async def drain(self) -> None:
        await self._coalescer.drain()

    async def _settle(self, plans: Sequence[Plan]) -> Sequence[Transaction | Refusal | Exception]:
        self._metrics.increment("batches")
        self._metrics.histogram("batch_plans", len(plans))
        try:
            verdicts = await self._decide_batch(plans)
            return await self._answers(verdicts)
        except asyncpg.PostgresError:
            # The database objects to one of them, which is a fault of ours. The others must not
            # suffer for it.
            if len(plans) == 1:
                raise
            _log.exception("a batch was refused by the database", plans=len(plans))
            return [await self._settle_alone(plan) for plan in plans]

    async def _settle_alone(self, plan: Plan) -> Transaction | Refusal | Exception:
        try:
            return (await self._settle([plan]))[0]
        except Exception as error:  # noqa: BLE001 (handed to the one caller it concerns)
            return error

    async def _decide_batch(self, plans: Sequence[Plan]) -> list[Verdict]:
        stripe = self._free_stripes.pop()
        try:
            return await self._decide_on(stripe, plans)
        finally:
            self._free_stripes.append(stripe)

    async def _decide_on(self, stripe: int, plans: Sequence[Plan]) -> list[Verdict]:
        may_create = True
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                async with connection(self._posting_pool) as conn:
                    if verdicts := await self._try_batch(
                        conn, stripe, plans, may_create=may_create
                    ):
                        return verdicts
                    await posting.create_accounts(conn, _accounts_of(plans), stripe)
                    may_create = False
            except (asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError):
                # Another process decided one of these request ids, or locked in another order.
                if attempt == MAX_ATTEMPTS:
                    raise
        raise Unavailable("CONTENTION", "too many batches met on the same rows")

    async def _try_batch(
        self, conn: Connection, stripe: int, plans: Sequence[Plan], *, may_create: bool
    ) -> list[Verdict] | None:
        """Lock, load, decide, append, commit; None if accounts are to be created first.

        The row locks alone give this `db_tx` an id, so its commit waits for the disk, and for a
        synchronous standby, even where every plan is a repeated one: no answer is given before
        it is durable.
        """
        keys = _accounts_of(plans)
        async with conn.transaction():
            accounts = await posting.lock_accounts(conn, keys, stripe)
            missing = len(accounts) < len(keys)
            if missing and may_create:
                return None
            start = await posting.load_outcomes(conn, [plan.request_digest for plan in plans])
            holds = (
                await posting.load_holds(conn, booked) if (booked := _bookings_of(plans)) else {}
            )
            voided = {plan.void_of.transaction_id for plan in plans if plan.void_of}
            last = max((each.last_transaction_id for each in accounts.values()), default=0)
            books = Books(
                accounts=accounts,
                holds=holds,
                voidables=await posting.load_voidables(conn, voided) if voided else {},
                outcomes=start.outcomes,
                states=await posting.load_states(conn, {key.wallet_id for key in accounts}),
                assets=await posting.load_assets(conn) if missing else frozenset(),
                first_transaction_id=ids.first_transaction_id(start.now, start.number, last),
            )
            verdicts, writes = decide(plans, books)
            if writes.outcomes:
                await posting.append(conn, writes, ids.recorded_at(books.first_transaction_id))
        return verdicts

    async def _answers(self, verdicts: Sequence[Verdict]) -> list[Transaction | Refusal]:
        """Turn verdicts into answers, reading back what earlier calls had posted."""
        stored = [each.transaction_id for each in verdicts if isinstance(each, Stored)]
        earlier = await self._load(stored) if stored else {}
        return [_answer(each, earlier) for each in verdicts]

    async def _load(self, transaction_ids: Sequence[int]) -> dict[int, Transaction]:
        async with connection(self._reading_pool) as conn:
            return await reading.load_transactions(conn, transaction_ids)

    async def get_transaction(self, transaction_id: int, named: str) -> Transaction:
        """Read one transaction; a booking says what it holds now.

        `named` is what the caller called it. Raises `NotFound`.
        """
        found = (await self._load([transaction_id])).get(transaction_id)
        if found is None:
            raise transaction_not_found(named).as_error()
        return found

    async def list_transactions(
        self, wallet_id: int, before: int, booking_id: int | None, limit: int
    ) -> list[Transaction]:
        """Read a wallet's transactions below the id `before`, newest first. Raises `NotFound`."""
        async with connection(self._reading_pool) as conn:
            if await wallets.find_wallet(conn, wallet_id) is None:
                raise wallet_not_found(ids.wallet_text(wallet_id)).as_error()
            return await reading.list_transactions(conn, wallet_id, before, booking_id, limit)

    async def trial_balance(self) -> list[reading.TrialBalanceLine]:
        async with connection(self._reading_pool) as conn:
            return await reading.load_trial_balance(conn)


def _accounts_of(plans: Sequence[Plan]) -> list[AccountKey]:
    return list({key for plan in plans for key in plan.accounts()})


def _bookings_of(plans: Sequence[Plan]) -> set[int]:
    return {
        plan.hold.booking_id
        for plan in plans
        if plan.hold is not None and not isinstance(plan.hold, OpenHold)
    }


def _answer(verdict: Verdict, earlier: dict[int, Transaction]) -> Transaction | Refusal:
    if isinstance(verdict, Posted):
        return verdict.transaction
    if isinstance(verdict, Stored):
        return earlier[verdict.transaction_id].as_first_answered()
    return verdict
