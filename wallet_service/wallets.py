"""Creating and reading wallets: one coroutine for each use case."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from shared.errors import Unavailable, invalid
from wallet_service import ids
from wallet_service.decide.model import WALLET, AccountKey
from wallet_service.errors import (
    ASSET_UNKNOWN,
    CREDIT_LIMIT_IN_USE,
    VERSION_STALE,
    WALLET_NOT_EMPTY,
    Refusal,
    request_id_reused,
    wallet_closed,
    wallet_not_found,
)
from wallet_service.store import posting, reading
from wallet_service.store import wallets as store
from wallet_service.store.connections import Connection, Pool, connection
from wallet_service.store.wallets import Wallet, WalletOutcome

MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Request:
    """What makes a mutating call repeatable."""

    request_id: str
    request_digest: bytes
    body_digest: bytes
    validate_only: bool


Change = Callable[[Connection], Awaitable[Wallet | Refusal]]


class Wallets:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create(
        self, request: Request, wallet_type: str, display_name: str, parent_wallet_id: int | None
    ) -> Wallet:
        """Create an empty wallet. Raises `AlreadyExists`, `NotFound` (the parent)."""

        async def change(conn: Connection) -> Wallet | Refusal:
            if parent_wallet_id is not None and not await store.find_wallet(conn, parent_wallet_id):
                return wallet_not_found(ids.wallet_text(parent_wallet_id))
            if request.validate_only:
                return Wallet(0, wallet_type, display_name, parent_wallet_id, "ACTIVE", 1, None)
            return await store.insert_wallet(conn, wallet_type, display_name, parent_wallet_id)

        return await self._once(request, change)

    async def rename(
        self, request: Request, wallet_id: int, version: int, display_name: str
    ) -> Wallet:
        """Change a wallet's name. Raises `AlreadyExists`, `NotFound`, `Aborted` (stale version)."""

        async def change(conn: Connection) -> Wallet | Refusal:
            wallet = await store.find_wallet(conn, wallet_id)
            if wallet is None:
                return wallet_not_found(ids.wallet_text(wallet_id))
            if request.validate_only and wallet.version == version:
                return wallet
            return await store.rename_wallet(
                conn, wallet_id, version, display_name
            ) or _version_stale(wallet_id, version)

        return await self._once(request, change)

    async def freeze(self, request: Request, wallet_id: int) -> Wallet:
        """Refuse debits from now on. Raises `AlreadyExists`, `NotFound`, `FailedPrecondition`."""
        return await self._once(request, _state_change(request, wallet_id, "FROZEN"))

    async def unfreeze(self, request: Request, wallet_id: int) -> Wallet:
        """Allow debits again. Raises `AlreadyExists`, `NotFound`, `FailedPrecondition`."""
        return await self._once(request, _state_change(request, wallet_id, "ACTIVE"))

    async def close(self, request: Request, wallet_id: int) -> Wallet:
        """Close an empty wallet. Raises `AlreadyExists`, `NotFound`, `FailedPrecondition`."""
        return await self._once(request, _state_change(request, wallet_id, "CLOSED"))

    async def set_credit_limit(
        self, request: Request, wallet_id: int, asset_code: str, credit_limit_minor: int
    ) -> Wallet:
        """Set how far a wallet may go below zero in an asset.

        Raises `InvalidArgument` (the asset), `AlreadyExists`, `NotFound`, `FailedPrecondition`.
        """
        async with connection(self._pool) as conn:
            if asset_code not in await posting.load_assets(conn):
                raise invalid("asset_code", f"{asset_code} is not registered", ASSET_UNKNOWN)

        async def change(conn: Connection) -> Wallet | Refusal:
            wallet = await _lock_open(conn, wallet_id)
            if isinstance(wallet, Refusal):
                return wallet
            if await store.lock_credit_used(conn, wallet_id, asset_code) > credit_limit_minor:
                return _credit_limit_in_use(wallet_id, asset_code)
            if not request.validate_only:
                account = AccountKey(wallet_id, WALLET, asset_code)
                await posting.create_accounts(conn, [account], 0)
                await store.set_credit_limit(conn, wallet_id, asset_code, credit_limit_minor)
            return wallet

        return await self._once(request, change)

    async def _once(self, request: Request, change: Change) -> Wallet:
        """Run `change` once for the request id, in the `db_tx` that records its outcome."""
        for _ in range(MAX_ATTEMPTS):
            try:
                async with connection(self._pool) as conn, conn.transaction():
                    changed = await self._replayed(conn, request) or await self._first(
                        conn, request, change
                    )
            except asyncpg.UniqueViolationError:
                continue  # The same request was decided meanwhile; its outcome is there now.
            if isinstance(changed, Refusal):
                raise changed.as_error()
            return changed
        raise Unavailable("CONTENTION", "too many requests with one id")

    async def _replayed(self, conn: Connection, request: Request) -> Wallet | Refusal | None:
        outcome = await store.find_outcome(conn, request.request_digest)
        if outcome is None:
            return None
        if outcome.body_digest != request.body_digest:
            return request_id_reused(request.request_id)
        if outcome.wallet_id is None:
            return outcome.refusal
        return await store.find_wallet(conn, outcome.wallet_id)

    async def _first(self, conn: Connection, request: Request, change: Change) -> Wallet | Refusal:
        changed = await change(conn)
        if not request.validate_only:
            refusal = changed if isinstance(changed, Refusal) else None
            wallet_id = changed.wallet_id if isinstance(changed, Wallet) else None
            outcome = WalletOutcome(request.body_digest, wallet_id, refusal)
            await store.record_outcome(conn, request.request_digest, outcome)
        return changed

    async def get(self, wallet_id: int) -> Wallet:
        """Read a wallet. Raises `NotFound`."""
        async with connection(self._pool) as conn:
            return await _existing(conn, wallet_id)

    async def page(self, after: int, parent_wallet_id: int | None, limit: int) -> list[Wallet]:
        async with connection(self._pool) as conn:
            return await store.list_wallets(conn, after, parent_wallet_id, limit)

    async def balances(self, wallet_id: int, as_of: datetime | None) -> list[reading.Balance]:
        """Read balances, now or as of a record time. Raises `NotFound`."""
        async with connection(self._pool) as conn:
            await _existing(conn, wallet_id)
            if as_of is None:
                return await reading.load_balances(conn, wallet_id)
            return await reading.load_balances_as_of(conn, wallet_id, ids.first_id_after(as_of))

    async def entries(
        self, wallet_id: int, asset_code: str, before: tuple[int, int], limit: int
    ) -> list[reading.WalletEntry]:
        """Read a wallet's entries below a place, newest first. Raises `NotFound`."""
        async with connection(self._pool) as conn:
            await _existing(conn, wallet_id)
            return await reading.list_entries(conn, wallet_id, asset_code, before, limit)


async def _existing(conn: Connection, wallet_id: int) -> Wallet:
    wallet = await store.find_wallet(conn, wallet_id)
    if wallet is None:
        raise wallet_not_found(ids.wallet_text(wallet_id)).as_error()
    return wallet


def _state_change(request: Request, wallet_id: int, state: str) -> Change:
    async def change(conn: Connection) -> Wallet | Refusal:
        wallet = await _lock_open(conn, wallet_id)
        if isinstance(wallet, Refusal):
            return wallet
        empty = await store.lock_holdings(conn, wallet_id)
        if state == "CLOSED" and not empty:
            return _wallet_not_empty(wallet_id)
        return wallet if request.validate_only else await store.change_state(conn, wallet_id, state)

    return change


async def _lock_open(conn: Connection, wallet_id: int) -> Wallet | Refusal:
    wallet = await store.lock_wallet(conn, wallet_id)
    if wallet is None:
        return wallet_not_found(ids.wallet_text(wallet_id))
    return wallet_closed(ids.wallet_text(wallet_id)) if wallet.state == "CLOSED" else wallet


def _wallet_not_empty(wallet_id: int) -> Refusal:
    wallet = ids.wallet_text(wallet_id)
    return Refusal(
        WALLET_NOT_EMPTY,
        f"{wallet} still holds or owes something: only an empty wallet can be closed",
        {"wallet_id": wallet},
    )


def _credit_limit_in_use(wallet_id: int, asset_code: str) -> Refusal:
    wallet = ids.wallet_text(wallet_id)
    return Refusal(
        CREDIT_LIMIT_IN_USE,
        f"{wallet} uses more credit in {asset_code} than that",
        {"wallet_id": wallet, "asset_code": asset_code},
    )


def _version_stale(wallet_id: int, version: int) -> Refusal:
    wallet = ids.wallet_text(wallet_id)
    return Refusal(
        VERSION_STALE,
        f"{wallet} is no longer at version {version}: read it again",
        {"wallet_id": wallet, "version": str(version)},
    )
