"""Reading the books, now and as of a time: one coroutine for each question.

A question about the past by record time has one answer for ever: where it is about the last
seconds, the postings that were under way then are waited for.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from wallet_service.decide.model import Transaction
from wallet_service.errors import transaction_not_found
from wallet_service.store import balances, entries, reading
from wallet_service.store.balances import Balance, Bound, TrialBalanceLine
from wallet_service.store.connections import STATEMENT_TIMEOUT_S, Connection, Pool, connection
from wallet_service.store.entries import EntryFilter, Place, Stretch, WalletEntry, WalletLot
from wallet_service.store.periods import read_clock
from wallet_service.wallets import existing_wallet

SETTLED = timedelta(seconds=STATEMENT_TIMEOUT_S)
"""After so long nothing that was under way can still commit."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A page of what happened to a wallet's balance in a stretch of time."""

    opening: Balance
    closing: Balance
    entries: list[WalletEntry]


class Reports:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def transaction(self, transaction_id: int, named: str) -> Transaction:
        """Read one transaction; a booking says what it holds now.

        `named` is what the caller called it. Raises `NotFound`.
        """
        found = await self.several([transaction_id])
        if transaction_id not in found:
            raise transaction_not_found(named).as_error()
        return found[transaction_id]

    async def several(self, transaction_ids: Sequence[int]) -> Mapping[int, Transaction]:
        """Read those transactions that exist, as `transaction` reads one."""
        async with connection(self._pool) as conn:
            return await reading.load_transactions(conn, transaction_ids)

    async def transactions(
        self, wallet_id: int, before: int, booking_id: int | None, limit: int
    ) -> list[Transaction]:
        """Read a wallet's transactions below the id `before`, newest first. Raises `NotFound`."""
        async with self._on_wallet(wallet_id) as conn:
            return await reading.list_transactions(conn, wallet_id, before, booking_id, limit)

    async def balances(self, wallet_id: int, bound: Bound | None) -> list[Balance]:
        """Read balances, now or right before a time. Raises `NotFound`."""
        async with self._on_wallet(wallet_id, bound) as conn:
            if bound is None:
                return await balances.load_balances(conn, wallet_id)
            return await balances.load_balances_before(conn, wallet_id, bound)

    async def entries(
        self, wanted: EntryFilter, before: tuple[int, int], limit: int
    ) -> list[WalletEntry]:
        """Read entries below a place (transaction id, leg index), newest first.

        Raises `NotFound`.
        """
        async with self._on_wallet(wanted.wallet_id) as conn:
            return await entries.list_entries(conn, wanted, before, limit)

    async def lots(self, wallet_id: int, asset_code: str) -> list[WalletLot]:
        """Read the lots that still hold something, in the order of drawing. Raises `NotFound`."""
        async with self._on_wallet(wallet_id) as conn:
            return await entries.list_lots(conn, wallet_id, asset_code)

    async def statement(self, wanted: Stretch, after: Place | None, limit: int) -> Statement:
        """Read a page of a statement after a place, oldest first. Raises `NotFound`."""
        start = Bound(wanted.start, wanted.by_effective_time)
        end = Bound(wanted.end, wanted.by_effective_time)
        async with (
            self._on_wallet(wanted.wallet_id, end) as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            return Statement(
                await _balance_before(conn, wanted, start),
                await _balance_before(conn, wanted, end),
                await entries.list_statement(conn, wanted, after, limit),
            )

    async def trial_balance(self, bound: Bound | None) -> list[TrialBalanceLine]:
        """Sum the books, now or right before a time."""
        async with connection(self._pool) as conn:
            if bound is None:
                return await balances.load_trial_balance(conn)
            return await balances.load_trial_balance_before(conn, bound)

    @asynccontextmanager
    async def _on_wallet(
        self, wallet_id: int, bound: Bound | None = None
    ) -> AsyncIterator[Connection]:
        """Borrow a connection for a question about a wallet. Raises `NotFound`."""
        async with connection(self._pool) as conn:
            await existing_wallet(conn, wallet_id)
            if bound and bound.before > await read_clock(conn) - SETTLED:
                await balances.await_postings(conn, wallet_id)
            yield conn


async def _balance_before(conn: Connection, wanted: Stretch, bound: Bound) -> Balance:
    for balance in await balances.load_balances_before(conn, wanted.wallet_id, bound):
        if balance.asset_code == wanted.asset_code:
            return balance
    return Balance(wanted.asset_code, 0, 0, 0)
