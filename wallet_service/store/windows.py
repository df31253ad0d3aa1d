"""Statements on what was spent in the stretches of time of limits, and how these are written."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date

from shared.canonical_json import canonical_json
from wallet_service.decide.policy import WindowKey
from wallet_service.store.connections import Connection


def windows_of(counted_json: str | None) -> tuple[WindowKey, ...]:
    """Read the windows that a transaction counts in."""
    if not counted_json:
        return ()
    return tuple(
        WindowKey(wallet_id, asset_code, product_code, period, date.fromisoformat(starts_on))
        for wallet_id, asset_code, product_code, period, starts_on in json.loads(counted_json)
    )


def counted_json(windows: Iterable[WindowKey]) -> str:
    """Write the windows that a transaction counts in; empty where there are none."""
    texts = [[*each[:-1], each.starts_on.isoformat()] for each in windows]
    return canonical_json(texts) if texts else ""


_KEYS = """
unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::date[])
    AS wanted (wallet_id, asset_code, product_code, period, starts_on)
"""

LOCK_WINDOWS = f"""
SELECT w.wallet_id, w.asset_code, w.product_code, w.period, w.starts_on, w.spent_minor
FROM {_KEYS} JOIN spending_windows w USING (wallet_id, asset_code, product_code, period, starts_on)
ORDER BY w.wallet_id, w.asset_code, w.product_code, w.period, w.starts_on
FOR NO KEY UPDATE OF w
"""  # noqa: S608 (a constant)

MAKE_WINDOWS = f"""
INSERT INTO spending_windows (wallet_id, asset_code, product_code, period, starts_on)
SELECT * FROM {_KEYS}
ORDER BY wallet_id, asset_code, product_code, period, starts_on
ON CONFLICT ON CONSTRAINT spending_windows_pkey DO NOTHING
"""  # noqa: S608 (a constant)


async def lock_windows(conn: Connection, keys: Collection[WindowKey]) -> dict[WindowKey, int]:
    """Lock windows, making those that are not there yet, and answer what was spent in each.

    Whoever locks any has locked all of its accounts before, so the order of keys is enough to
    keep two batches from waiting for one another.
    """
    columns = list(zip(*keys, strict=True))
    found = await _locked(conn, columns)
    if len(found) < len(keys):
        await conn.execute(MAKE_WINDOWS, *columns)
        found = await _locked(conn, columns)
    return found


async def _locked(conn: Connection, columns: list[tuple[object, ...]]) -> dict[WindowKey, int]:
    return {WindowKey(*row[:5]): row[5] for row in await conn.fetch(LOCK_WINDOWS, *columns)}


PUT_WINDOWS = """
UPDATE spending_windows w SET spent_minor = wanted.spent_minor
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::date[], $6::bigint[])
     AS wanted (wallet_id, asset_code, product_code, period, starts_on, spent_minor)
WHERE (w.wallet_id, w.asset_code, w.product_code, w.period, w.starts_on)
    = (wanted.wallet_id, wanted.asset_code, wanted.product_code, wanted.period, wanted.starts_on)
"""


async def put_windows(conn: Connection, windows: Mapping[WindowKey, int]) -> None:
    """Write what was spent in windows that are locked."""
    rows = [(*key, spent_minor) for key, spent_minor in windows.items()]
    await conn.execute(PUT_WINDOWS, *zip(*rows, strict=True))
