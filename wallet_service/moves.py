"""Moving a wallet, and all below it, under another parent."""

from collections.abc import Sequence

from wallet_service import ids
from wallet_service.drafts import chain_of, model_of
from wallet_service.errors import (
    BOOKINGS_OPEN,
    TREE_TOO_LARGE,
    Refusal,
    version_stale,
    wallet_not_found,
)
from wallet_service.models.registry import Models
from wallet_service.once import Change, Request
from wallet_service.store import trees as store
from wallet_service.store.connections import Connection
from wallet_service.store.directory import advance_epoch
from wallet_service.store.wallets import Wallet, find_wallet
from wallet_service.trees import misplaced, parent_unfit

MAX_MOVED = 100_000


def move(
    request: Request, models: Models, wallet_id: int, version: int, parent_wallet_id: int | None
) -> Change[Wallet]:
    """Make the change that moves a wallet; `parent_wallet_id` is None for the top."""

    async def change(conn: Connection) -> Wallet | Refusal:
        await store.hold_for_moving(conn)
        wallet = await find_wallet(conn, wallet_id)
        if wallet is None:
            return wallet_not_found(ids.wallet_text(wallet_id))
        parent = await find_wallet(conn, parent_wallet_id) if parent_wallet_id else None
        if parent is None and parent_wallet_id is not None:
            return wallet_not_found(ids.wallet_text(parent_wallet_id))
        if wallet.version != version:
            return version_stale(ids.wallet_text(wallet_id), version)
        refusal = await _refusal(conn, models, wallet, parent)
        if refusal or request.validate_only:
            return refusal or wallet
        return await _moved(conn, wallet, parent)

    return change


async def _refusal(
    conn: Connection, models: Models, wallet: Wallet, parent: Wallet | None
) -> Refusal | None:
    if parent and wallet.wallet_id in (parent.wallet_id, *parent.path):
        return parent_unfit("a wallet cannot stand under itself")
    extent = await store.measure_tree(conn, wallet.wallet_id, len(wallet.above), MAX_MOVED)
    model, above = model_of(models, wallet), chain_of(models, parent)
    refusal = misplaced(model, above, extent.height)
    if refusal is None and extent.size > MAX_MOVED:
        return _too_large(wallet.wallet_id)
    return refusal or await _locked(conn, wallet)


async def _locked(conn: Connection, wallet: Wallet) -> Refusal | None:
    """Lock the tree against changes and postings; refuse if it is stale, or has open bookings."""
    moved = await store.lock_tree(conn, wallet.wallet_id)
    if moved[wallet.wallet_id] != wallet.version:
        return version_stale(ids.wallet_text(wallet.wallet_id), wallet.version)
    return await _open_bookings(conn, wallet, list(moved))


async def _open_bookings(conn: Connection, wallet: Wallet, moved: Sequence[int]) -> Refusal | None:
    """Lock accounts against postings; refuse if bookings of the moved wallets hold money.

    What they hold may be their own, or that of wallets above them.
    """
    held = await store.lock_held(conn, [*wallet.path, *moved])
    own = set(held.values()).difference(wallet.path)
    above = [account_id for account_id, owner in held.items() if owner in wallet.path]
    booked = min(own, default=None)
    if booked is None and above:
        booked = await store.find_booked_wallet(conn, above, moved)
    return _bookings_open(booked) if booked else None


async def _moved(conn: Connection, wallet: Wallet, parent: Wallet | None) -> Wallet:
    path = [*parent.path, parent.wallet_id] if parent else []
    await store.move_tree(conn, wallet.wallet_id, path, len(wallet.above))
    await advance_epoch(conn)
    moved = await find_wallet(conn, wallet.wallet_id)
    assert moved is not None  # noqa: S101 (it is locked)
    return moved


def _bookings_open(wallet_id: int) -> Refusal:
    wallet = ids.wallet_text(wallet_id)
    return Refusal(
        BOOKINGS_OPEN,
        f"bookings of {wallet} hold money: commit or cancel them first",
        {"wallet_id": wallet},
    )


def _too_large(wallet_id: int) -> Refusal:
    wallet = ids.wallet_text(wallet_id)
    return Refusal(
        TREE_TOO_LARGE,
        f"more than {MAX_MOVED} wallets would move with {wallet}: move what is below it in parts",
        {"wallet_id": wallet, "limit": str(MAX_MOVED)},
    )
