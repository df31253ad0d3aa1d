"""Statements on what postings go by of wallets, and on the epoch of it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from wallet_service.store.connections import Connection

# Grows in the `db_tx` of the change, whose lock on the row is kept until it commits: so changes
# commit in the order of their epochs. It is taken last, after the wallets' and accounts' locks.
ADVANCE_EPOCH = "UPDATE directory_epoch SET epoch = epoch + 1"


async def advance_epoch(conn: Connection) -> None:
    """Say that what postings go by of a wallet changes with this `db_tx`."""
    await conn.execute(ADVANCE_EPOCH)


class StoredStanding(NamedTuple):
    """What postings go by of a wallet; its path has the topmost wallet first."""

    wallet_id: int
    wallet_type: str
    version: int
    path: Sequence[int]
    attributes: Mapping[str, Any]
    policy: Mapping[str, Any]
    state: str


LOAD_STANDINGS = """
SELECT e.epoch, w.wallet_id, w.wallet_type, w.version, w.path, w.attributes, w.policy, w.state
FROM directory_epoch e
LEFT JOIN wallets w ON w.wallet_id = ANY(ARRAY(
    SELECT unnest($1::bigint[]) UNION
    SELECT unnest(path) FROM wallets WHERE wallet_id = ANY($1)
))
"""


async def load_standings(
    conn: Connection, wallet_ids: Sequence[int]
) -> tuple[int, dict[int, StoredStanding]]:
    """Read wallets, those above them and the epoch, all as of one moment."""
    rows = await conn.fetch(LOAD_STANDINGS, wallet_ids)
    found = {
        wallet_id: StoredStanding(
            wallet_id, wallet_type, version, path, json.loads(attributes), json.loads(policy), state
        )
        for _, wallet_id, wallet_type, version, path, attributes, policy, state in rows
        if wallet_id is not None
    }
    return rows[0][0], found
