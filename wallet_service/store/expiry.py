"""Bookings whose time has come."""

from dataclasses import dataclass

from wallet_service.store.connections import Connection


@dataclass(frozen=True, slots=True)
class DueHold:
    booking_id: int
    wallet_id: int
    asset_code: str


DUE_HOLDS = """
SELECT h.booking_id, a.wallet_id, a.asset_code
FROM holds h JOIN accounts a USING (account_id)
WHERE h.captured_minor + h.released_minor < h.amount_minor
  AND h.expires_at IS NOT NULL AND h.expires_at <= now()
ORDER BY h.expires_at
LIMIT $1
"""


async def due_holds(conn: Connection, limit: int) -> list[DueHold]:
    """Read bookings that have expired and still hold something, the longest due first."""
    return [DueHold(*row) for row in await conn.fetch(DUE_HOLDS, limit)]
