"""Creating, changing and reading wallets: one coroutine for each use case."""

from shared.errors import invalid
from wallet_service import ids
from wallet_service.decide.model import WALLET, AccountKey
from wallet_service.errors import (
    ASSET_UNKNOWN,
    CREDIT_LIMIT_IN_USE,
    VERSION_STALE,
    WALLET_NOT_EMPTY,
    Refusal,
    wallet_closed,
    wallet_not_found,
)
from wallet_service.once import Change, Once, Request
from wallet_service.store import posting
from wallet_service.store import wallets as store
from wallet_service.store.connections import Connection, Pool, connection
from wallet_service.store.outcomes import SubjectOutcome
from wallet_service.store.wallets import Wallet


class Wallets:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._once: Once[Wallet] = Once(pool, _WalletRecords())

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

        return await self._once.run(request, change)

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

        return await self._once.run(request, change)

    async def freeze(self, request: Request, wallet_id: int) -> Wallet:
        """Refuse debits from now on. Raises `AlreadyExists`, `NotFound`, `FailedPrecondition`."""
        return await self._once.run(request, _state_change(request, wallet_id, "FROZEN"))

    async def unfreeze(self, request: Request, wallet_id: int) -> Wallet:
        """Allow debits again. Raises `AlreadyExists`, `NotFound`, `FailedPrecondition`."""
        return await self._once.run(request, _state_change(request, wallet_id, "ACTIVE"))

    async def close(self, request: Request, wallet_id: int) -> Wallet:
        """Close an empty wallet. Raises `AlreadyExists`, `NotFound`, `FailedPrecondition`."""
        return await self._once.run(request, _state_change(request, wallet_id, "CLOSED"))

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

        return await self._once.run(request, change)

    async def get(self, wallet_id: int) -> Wallet:
        """Read a wallet. Raises `NotFound`."""
        async with connection(self._pool) as conn:
            return await existing_wallet(conn, wallet_id)

    async def page(self, after: int, parent_wallet_id: int | None, limit: int) -> list[Wallet]:
        async with connection(self._pool) as conn:
            return await store.list_wallets(conn, after, parent_wallet_id, limit)


class _WalletRecords:
    def outcome_of(self, body_digest: bytes, subject: Wallet) -> SubjectOutcome:
        return SubjectOutcome(body_digest, wallet_id=subject.wallet_id)

    async def find(self, conn: Connection, outcome: SubjectOutcome) -> Wallet | None:
        assert outcome.wallet_id is not None  # noqa: S101 (or its digest would differ)
        return await store.find_wallet(conn, outcome.wallet_id)


async def existing_wallet(conn: Connection, wallet_id: int) -> Wallet:
    """Read a wallet. Raises `NotFound`."""
    wallet = await store.find_wallet(conn, wallet_id)
    if wallet is None:
        raise wallet_not_found(ids.wallet_text(wallet_id)).as_error()
    return wallet


def _state_change(request: Request, wallet_id: int, state: str) -> Change[Wallet]:
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
