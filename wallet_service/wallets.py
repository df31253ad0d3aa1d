"""Creating, changing and reading wallets: one coroutine for each use case."""

from collections.abc import Sequence

from shared.errors import invalid
from wallet_service import ids
from wallet_service.decide.plan import WALLET, AccountKey
from wallet_service.drafts import (
    NewWallet,
    WalletUpdate,
    asset_faults,
    drafted,
    new_wallet_faults,
    update_faults,
    updated,
)
from wallet_service.errors import (
    ASSET_UNKNOWN,
    CREDIT_LIMIT_IN_USE,
    WALLET_NOT_EMPTY,
    Refusal,
    version_stale,
    wallet_closed,
    wallet_not_found,
)
from wallet_service.models.checking import refuse
from wallet_service.models.model import Values
from wallet_service.models.registry import MODELS, Models
from wallet_service.moves import move
from wallet_service.once import Change, Once, Request
from wallet_service.store import posting
from wallet_service.store import wallets as store
from wallet_service.store.connections import Connection, Pool, connection
from wallet_service.store.directory import advance_epoch
from wallet_service.store.outcomes import SubjectOutcome
from wallet_service.store.trees import hold_still
from wallet_service.store.wallets import Wallet


class Wallets:
    """`models` are the wallet types that there are."""

    def __init__(self, pool: Pool, models: Models = MODELS) -> None:
        self._pool = pool
        self._models = models
        self._once: Once[Wallet] = Once(pool, _WalletRecords())

    async def create(self, request: Request, new: NewWallet) -> Wallet:
        """Create an empty wallet.

        Raises `InvalidArgument`, `AlreadyExists`, `NotFound` (the parent), `FailedPrecondition`
        (its place).
        """
        refuse(new_wallet_faults(self._models, new))
        await self._refuse_unknown_assets(new.policy, "wallet.policy")

        async def change(conn: Connection) -> Wallet | Refusal:
            parent = await _held_parent(conn, new.parent_wallet_id)
            if isinstance(parent, Refusal):
                return parent
            wallet = drafted(self._models, new, parent)
            if isinstance(wallet, Refusal) or request.validate_only:
                return wallet
            return await store.insert_wallet(conn, wallet)

        return await self._once.run(request, change)

    async def update(
        self, request: Request, wallet_id: int, version: int, update: WalletUpdate
    ) -> Wallet:
        """Change a wallet's name, attributes or policy.

        Raises `InvalidArgument`, `AlreadyExists`, `NotFound`, `Aborted` (stale version).
        """
        async with connection(self._pool) as conn:
            known = await store.find_wallet(conn, wallet_id)
        refuse(update_faults(self._models, known, update))
        await self._refuse_unknown_assets(update.policy or {}, "policy")

        async def change(conn: Connection) -> Wallet | Refusal:
            wallet = await store.lock_wallet(conn, wallet_id)
            if wallet is None:
                return wallet_not_found(ids.wallet_text(wallet_id))
            if wallet.version != version:
                return version_stale(ids.wallet_text(wallet_id), version)
            if request.validate_only:
                return wallet
            await advance_epoch(conn)
            return await store.update_wallet(conn, updated(self._models, wallet, update))

        return await self._once.run(request, change)

    async def move(
        self, request: Request, wallet_id: int, version: int, parent_wallet_id: int | None
    ) -> Wallet:
        """Put a wallet, and all below it, under another parent; None is the top.

        Raises `AlreadyExists`, `NotFound` (either), `Aborted` (stale version),
        `FailedPrecondition` (its place, its size, open bookings).
        """
        change = move(request, self._models, wallet_id, version, parent_wallet_id)
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

    async def several(self, wallet_ids: Sequence[int]) -> list[Wallet]:
        """Read those wallets that exist."""
        async with connection(self._pool) as conn:
            return await store.find_wallets(conn, wallet_ids)

    async def page(self, after: int, parent_wallet_id: int | None, limit: int) -> list[Wallet]:
        async with connection(self._pool) as conn:
            return await store.list_wallets(conn, after, parent_wallet_id, limit)

    async def _refuse_unknown_assets(self, policy: Values, path: str) -> None:
        async with connection(self._pool) as conn:
            refuse(asset_faults(policy, await posting.load_assets(conn), path), ASSET_UNKNOWN)


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


async def _held_parent(conn: Connection, parent_wallet_id: int | None) -> Wallet | Refusal | None:
    """Read a parent whose path stays as it is until the `db_tx` ends."""
    if parent_wallet_id is None:
        return None
    await hold_still(conn)
    return await store.find_wallet(conn, parent_wallet_id) or wallet_not_found(
        ids.wallet_text(parent_wallet_id)
    )


def _state_change(request: Request, wallet_id: int, state: str) -> Change[Wallet]:
    async def change(conn: Connection) -> Wallet | Refusal:
        wallet = await _lock_open(conn, wallet_id)
        if isinstance(wallet, Refusal):
            return wallet
        empty = await store.lock_holdings(conn, wallet_id)
        if state == "CLOSED" and not empty:
            return _wallet_not_empty(wallet_id)
        if request.validate_only or wallet.state == state:
            return wallet
        await advance_epoch(conn)
        return await store.change_state(conn, wallet_id, state)

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
