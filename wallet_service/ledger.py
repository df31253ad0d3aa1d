"""Posting transactions, by the batch."""

from collections.abc import Sequence
from typing import TypeAlias

import asyncpg
import structlog

from shared.coalesce import Coalescer
from shared.errors import Unavailable
from shared.telemetry import Metrics
from wallet_service.batch import Group, Preparation, run_batch
from wallet_service.decide.model import Posted, Stored, Transaction, Verdict
from wallet_service.decide.plan import HOUSE, Plan
from wallet_service.directory import Directory
from wallet_service.errors import Refusal
from wallet_service.store import reading
from wallet_service.store.connections import Pools, connection

MAX_ATTEMPTS = 8
"""How often a batch is tried again when another one got in its way."""

Answer: TypeAlias = Transaction | Refusal
_log = structlog.get_logger()


class Ledger:
    """Posts plans, as many at once as wait, each batch in one `db_tx`.

    `house_stripes` are the stripes of the house's accounts that this process writes to, one for
    each batch under way: so no two batches, of this process or another, meet there. A batch has
    at most `max_batch` plans, or those of a single larger group.
    """

    def __init__(
        self,
        pools: Pools,
        directory: Directory,
        house_stripes: Sequence[int],
        metrics: Metrics,
        max_batch: int = 400,
    ) -> None:
        self._pools = pools
        self._free_stripes = list(house_stripes)
        self._metrics = metrics
        self._preparation = Preparation(directory)
        self._coalescer: Coalescer[Group, list[Answer]] = Coalescer(
            self._settle,
            weight=len,
            keys=_wallets_of,
            max_batch=max_batch,
            slots=len(house_stripes),
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
        for _ in range(MAX_ATTEMPTS):
            try:
                async with connection(self._pools.posting) as conn:
                    batch = await self._preparation.prepare(conn, groups, stripe)
                    if verdicts := await run_batch(conn, batch, chain=stripe):
                        return verdicts
                self._preparation.forget()
            except (asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError):
                continue  # Another process decided one of these ids, or locked in another order.
        raise Unavailable("CONTENTION", "too many batches met on the same rows")

    async def _answers(self, verdicts: Sequence[Sequence[Verdict]]) -> list[list[Answer]]:
        """Turn verdicts into answers, reading back what earlier calls had posted."""
        stored = [
            each.transaction_id for group in verdicts for each in group if isinstance(each, Stored)
        ]
        earlier = await self._load(stored) if stored else {}
        return [[_answer(each, earlier) for each in group] for group in verdicts]

    async def _load(self, transaction_ids: Sequence[int]) -> dict[int, Transaction]:
        async with connection(self._pools.reading) as conn:
            return await reading.load_transactions(conn, transaction_ids)


def _wallets_of(group: Group) -> set[int]:
    """Answer whose rows a group locks; those of the house are striped, so that nobody waits."""
    wallets = {leg.key.wallet_id for plan in group for leg in plan.legs}
    wallets.update([plan.wallet_id for plan in group])
    wallets.discard(HOUSE)
    return wallets


def _answer(verdict: Verdict, earlier: dict[int, Transaction]) -> Answer:
    if isinstance(verdict, Posted):
        return verdict.transaction
    if isinstance(verdict, Stored):
        return earlier[verdict.transaction_id].as_first_answered()
    return verdict
