"""Statements on trees of wallets: what stands below a wallet, and moving it.

Who reads a path to write by it holds the trees still, or fixed, in the same `db_tx`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from wallet_service.store.connections import Connection

HOLD_STILL = "SELECT pg_advisory_xact_lock_shared(hashtext('wallet_trees'))"


async def hold_still(conn: Connection) -> None:
    """Let no wallet be moved while this `db_tx` creates one; other creations go on."""
    await conn.execute(HOLD_STILL)


HOLD_FOR_MOVING = "SELECT pg_advisory_xact_lock(hashtext('wallet_trees'))"


async def hold_for_moving(conn: Connection) -> None:
    """Wait for creations and moves under way; new ones wait until this `db_tx` ends."""
    await conn.execute(HOLD_FOR_MOVING)


class Extent(NamedTuple):
    """How large a tree is: wallets, counted up to one more than asked, and levels."""

    size: int
    height: int


MEASURE_TREE = """
SELECT count(*), coalesce(max(levels), 0) + 1 - $3 FROM (
    SELECT cardinality(path) AS levels FROM wallets
    WHERE wallet_id = $1 OR path @> ARRAY[$1::bigint]
    LIMIT $2 + 1
) AS tree
"""


async def measure_tree(conn: Connection, wallet_id: int, depth: int, max_size: int) -> Extent:
    """Measure a wallet and all below it; `depth` is how many wallets stand above it."""
    row = await conn.fetchrow(MEASURE_TREE, wallet_id, max_size, depth)
    assert row is not None  # noqa: S101 (an aggregate is one row)
    return Extent(*row)


LOCK_TREE = """
SELECT wallet_id, version FROM wallets
WHERE wallet_id = $1 OR path @> ARRAY[$1::bigint]
ORDER BY wallet_id
FOR NO KEY UPDATE
"""


async def lock_tree(conn: Connection, wallet_id: int) -> dict[int, int]:
    """Lock a wallet and all below it, so that no account of theirs is made.

    Answers their versions, by id.
    """
    return {row[0]: row[1] for row in await conn.fetch(LOCK_TREE, wallet_id)}


LOCK_HELD = """
SELECT account_id, wallet_id, held_minor FROM accounts
WHERE wallet_id = ANY($1::bigint[]) AND account_type = 'WALLET'
ORDER BY account_id
FOR NO KEY UPDATE
"""


async def lock_held(conn: Connection, wallet_ids: Sequence[int]) -> dict[int, int]:
    """Lock wallets' accounts against postings; answer whose each is that has money set aside."""
    rows = await conn.fetch(LOCK_HELD, wallet_ids)
    return {account_id: wallet_id for account_id, wallet_id, held_minor in rows if held_minor}


FIND_BOOKED_WALLET = """
SELECT t.wallet_id FROM holds h JOIN transactions t ON t.transaction_id = h.booking_id
WHERE h.account_id = ANY($1::bigint[]) AND h.captured_minor + h.released_minor < h.amount_minor
  AND t.wallet_id = ANY($2::bigint[])
LIMIT 1
"""


async def find_booked_wallet(
    conn: Connection, account_ids: Sequence[int], wallet_ids: Sequence[int]
) -> int | None:
    """Answer one of the wallets whose open bookings are on one of the accounts."""
    wallet_id: int | None = await conn.fetchval(FIND_BOOKED_WALLET, account_ids, wallet_ids)
    return wallet_id


MOVE_TREE = """
UPDATE wallets SET
    path = $2::bigint[] || path[$3 + 1:],
    parent_wallet_id = CASE wallet_id WHEN $1 THEN $4::bigint ELSE parent_wallet_id END,
    version = version + 1
WHERE wallet_id = $1 OR path @> ARRAY[$1::bigint]
"""


async def move_tree(conn: Connection, wallet_id: int, path: Sequence[int], depth: int) -> None:
    """Put a wallet, and all below it, at the end of a new path.

    `depth` is how many wallets stood above it.
    """
    await conn.execute(MOVE_TREE, wallet_id, path, depth, path[-1] if path else None)
