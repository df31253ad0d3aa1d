"""Bookings and lots whose time has come."""

from dataclasses import dataclass

from wallet_service.decide.plan import LotId
from wallet_service.store.connections import Connection


@dataclass(frozen=True, slots=True)
class DueHold:
    booking_id: int
    wallet_id: int


DUE_HOLDS = """
SELECT DISTINCT expires_at, booking_id, wallet_id
FROM holds
WHERE captured_minor + released_minor < amount_minor
  AND expires_at IS NOT NULL AND expires_at <= now()
ORDER BY expires_at
LIMIT $1
"""


async def due_holds(conn: Connection, limit: int) -> list[DueHold]:
    """Read bookings that have expired and still hold something, the longest due first."""
    return [DueHold(*row[1:]) for row in await conn.fetch(DUE_HOLDS, limit)]


@dataclass(frozen=True, slots=True)
class DueLot:
    """A lot that has expired, and what is free of it; nobody moved it since a transaction."""

    lot_id: LotId
    wallet_id: int
    asset_code: str
    free_minor: int
    last_transaction_id: int


DUE_LOTS = """
SELECT l.transaction_id, l.lot_index, a.wallet_id, a.asset_code, l.remaining_minor - l.held_minor,
       l.last_transaction_id
FROM lots l JOIN accounts a USING (account_id)
WHERE l.remaining_minor > l.held_minor
  AND l.expires_at IS NOT NULL AND l.expires_at <= now()
ORDER BY l.expires_at
LIMIT $1
"""


async def due_lots(conn: Connection, limit: int) -> list[DueLot]:
    """Read lots that have expired with something free, the longest due first."""
    return [DueLot(LotId(*row[:2]), *row[2:]) for row in await conn.fetch(DUE_LOTS, limit)]
