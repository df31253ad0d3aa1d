"""Ends what has expired: sets free what bookings hold, and breaks lots."""

import asyncio
from dataclasses import replace

import structlog

from shared.idempotency import digest
from wallet_service import ids
from wallet_service.decide.plan import (
    HOUSE,
    WALLET,
    AccountKey,
    BreakLot,
    Leg,
    Plan,
    ReleaseHold,
)
from wallet_service.ledger import Ledger
from wallet_service.store.connections import Pool, connection
from wallet_service.store.expiry import DueHold, DueLot, due_holds, due_lots
from wallet_service.store.wallets import Wallet, find_wallets
from wallet_service.wire.events import breakage_event

INTERVAL_S = 1.0
MAX_AT_ONCE = 400

_log = structlog.get_logger()


class Expiry:
    """Posts an expiration for each booking, and a breakage for each lot, whose time has come.

    Any number of processes may do so at once: they ask under the same request id, which has one
    outcome.
    """

    def __init__(self, pool: Pool, ledger: Ledger) -> None:
        self._pool = pool
        self._ledger = ledger

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                swept = await self.sweep()
            except Exception:  # noqa: BLE001 (what is due is still there for the next round)
                _log.exception("what has expired was not swept")
                swept = 0
            if swept < MAX_AT_ONCE:
                await asyncio.sleep(INTERVAL_S)

    async def sweep(self) -> int:
        """End what is due, at most 400 bookings and 400 lots; answer how many.

        Raises `Unavailable`.
        """
        async with connection(self._pool) as conn:
            holds = await due_holds(conn, MAX_AT_ONCE)
            lots = await due_lots(conn, MAX_AT_ONCE)
            found = await find_wallets(conn, [each.wallet_id for each in lots])
        owners = {each.wallet_id: each for each in found}
        breakages = [_breakage(each, owners[each.wallet_id]) for each in lots]
        plans = [*map(_expiration, holds), *breakages]
        await asyncio.gather(*map(self._ledger.post, plans))
        return len(plans)


def _expiration(hold: DueHold) -> Plan:
    request_id = f"expire {ids.booking_text(hold.booking_id)}"
    plan = _own_plan("EXPIRATION", hold.wallet_id, request_id)
    return replace(plan, hold=ReleaseHold(hold.booking_id))


def _breakage(lot: DueLot, owner: Wallet) -> Plan:
    """Plan a breakage, under a request id of its own for each state that the lot is found in."""
    key = AccountKey(lot.wallet_id, WALLET, lot.asset_code)
    earned = AccountKey(HOUSE, "BREAKAGE", lot.asset_code)
    request_id = f"break {ids.lot_text(*lot.lot_id)} after {lot.last_transaction_id}"
    return replace(
        _own_plan("BREAKAGE", lot.wallet_id, request_id),
        legs=(Leg(key, lot.free_minor), Leg(earned, -lot.free_minor)),
        break_lot=BreakLot(key, lot.lot_id, lot.free_minor),
        event=breakage_event(owner, request_id),
    )


def _own_plan(kind: str, wallet_id: int, request_id: str) -> Plan:
    # No caller's request id holds a control character, so none can come before this one.
    request_digest = digest(f"\0{request_id}".encode())
    return Plan(request_id, request_digest, request_digest, kind, wallet_id)
