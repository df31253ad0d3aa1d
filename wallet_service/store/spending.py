"""Statements on what was spent against limits."""

from collections.abc import Sequence

from wallet_service.decide.policy import WindowKey
from wallet_service.store.connections import Connection

LOAD_SPENT = """
SELECT s.wallet_id, s.asset_code, s.product_code, s.period, s.starts_on, s.spent_minor
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::date[])
     AS wanted (wallet_id, asset_code, product_code, period, starts_on)
JOIN spending_windows s USING (wallet_id, asset_code, product_code, period, starts_on)
"""


async def load_spent(conn: Connection, windows: Sequence[WindowKey]) -> dict[WindowKey, int]:
    """Read what was spent in windows, in minor units; nothing was in those that are absent."""
    columns = [[window[column] for window in windows] for column in range(len(WindowKey._fields))]
    rows = await conn.fetch(LOAD_SPENT, *columns)
    return {WindowKey(*key): spent_minor for *key, spent_minor in rows}
