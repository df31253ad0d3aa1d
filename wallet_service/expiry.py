"""Sets free what expired bookings still hold."""

import asyncio

import structlog

from shared.idempotency import digest
from wallet_service import ids
from wallet_service.decide.model import WALLET, AccountKey, Plan, ReleaseHold
from wallet_service.ledger import Ledger
from wallet_service.store.connections import Pool, connection
from wallet_service.store.expiry import DueHold, due_holds

INTERVAL_S = 1.0
MAX_AT_ONCE = 400

_log = structlog.get_logger()


class Expiry:
    """Posts an expiration for each booking whose time has come.

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
            except Exception:  # noqa: BLE001 (the bookings are still there for the next round)
                _log.exception("expired bookings were not swept")
                swept = 0
            if swept < MAX_AT_ONCE:
                await asyncio.sleep(INTERVAL_S)

    async def sweep(self) -> int:
        """Set free what is due, at most 400 bookings; answer how many. Raises `Unavailable`."""
        async with connection(self._pool) as conn:
            due = await due_holds(conn, MAX_AT_ONCE)
        await asyncio.gather(*(self._ledger.post(_expiration(hold)) for hold in due))
        return len(due)


def _expiration(hold: DueHold) -> Plan:
    request_id = f"expire {ids.booking_text(hold.booking_id)}"
    # No caller's request id holds a control character, so none can come before this one.
    request_digest = digest(f"\0{request_id}".encode())
    key = AccountKey(hold.wallet_id, WALLET, hold.asset_code)
    return Plan(
        request_id=request_id,
        request_digest=request_digest,
        body_digest=request_digest,
        kind="EXPIRATION",
        wallet_id=hold.wallet_id,
        legs=(),
        hold=ReleaseHold(key, hold.booking_id),
        effective_at=None,
        reference="",
        metadata_json="{}",
        price_book_version="",
        charges_json="[]",
        event=None,
        traceparent="",
        validate_only=False,
    )
