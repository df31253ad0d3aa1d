"""Statements of the verification: rows in order, and what sums of entries say they should be."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from shared.canonical_json import canonical_json
from wallet_service.audit import AccountState, Finding, Recorded
from wallet_service.chain import Content, Head
from wallet_service.decide.model import Transaction
from wallet_service.store.connections import Connection, survey
from wallet_service.store.reading import load_transactions

AGGREGATE_TIMEOUT_S = 3600.0
REMEMBERED = timedelta(days=90)

ESTIMATE_TRANSACTIONS = """
SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'transactions'::regclass
"""


async def estimate_transactions(conn: Connection) -> int:
    """Answer how many transactions there are, by the planner's statistics."""
    return int(await conn.fetchval(ESTIMATE_TRANSACTIONS))


NEXT_TRANSACTIONS = """
SELECT transaction_id, event, traceparent, chain, hash, paid_by_others
FROM transactions WHERE transaction_id > $1
ORDER BY transaction_id LIMIT $2
"""

LOAD_ENTRY_FACTS = """
SELECT e.transaction_id, e.effective_at, e.asset_code
FROM entries e
WHERE e.transaction_id = ANY($1::bigint[])
ORDER BY e.transaction_id, e.leg_index
"""


async def next_transactions(conn: Connection, after: int, limit: int) -> list[Recorded]:
    """Read the transactions that follow an id, with all that was written of them."""
    rows = await conn.fetch(NEXT_TRANSACTIONS, after, limit)
    wanted = [row["transaction_id"] for row in rows]
    found = await load_transactions(conn, wanted)
    facts: dict[int, list[tuple[datetime | None, str]]] = {each: [] for each in wanted}
    for transaction_id, effective_at, asset_code in await conn.fetch(LOAD_ENTRY_FACTS, wanted):
        facts[transaction_id].append((effective_at, asset_code))
    return [
        Recorded(
            Content(_canonical(found[row["transaction_id"]]), row["event"], row["traceparent"]),
            row["chain"],
            row["hash"],
            row["paid_by_others"],
            tuple(effective_at for effective_at, _ in facts[row["transaction_id"]]),
            tuple(asset_code for _, asset_code in facts[row["transaction_id"]]),
        )
        for row in rows
    ]


def _canonical(transaction: Transaction) -> Transaction:
    """Write its JSON as it was hashed; the database has its own way of spacing and sorting."""
    return transaction._replace(
        metadata_json=_rewritten(transaction.metadata_json),
        charges_json=_rewritten(transaction.charges_json),
        exchange_rate_json=_rewritten(transaction.exchange_rate_json),
    )


def _rewritten(text: str) -> str:
    return canonical_json(json.loads(text)) if text else ""


LOAD_HEADS = "SELECT chain, last_transaction_id, hash FROM chains ORDER BY chain"


async def load_heads(conn: Connection) -> list[Head]:
    return [Head(*row) for row in await conn.fetch(LOAD_HEADS)]


LOAD_ACCOUNTS = """
SELECT account_id, balance_minor, held_minor, last_transaction_id FROM accounts ORDER BY account_id
"""


async def load_accounts(conn: Connection) -> AsyncIterator[tuple[int, AccountState]]:
    """Stream the accounts' rows."""
    async for row in conn.cursor(LOAD_ACCOUNTS, prefetch=1000):
        yield row[0], AccountState(*row[1:])


FIND_REQUESTS = """
SELECT request_digest, transaction_id FROM requests WHERE request_digest = ANY($1::bytea[])
"""


async def find_requests(conn: Connection, digests: Sequence[bytes]) -> dict[bytes, int | None]:
    """Answer which transactions request ids came to."""
    return {row[0]: row[1] for row in await conn.fetch(FIND_REQUESTS, digests)}


HOLDS_OFF = """
WITH moved AS (
    SELECT t.booking_id, e.account_id,
           sum(e.held_change_minor) FILTER (WHERE t.kind = 'BOOKING') AS amount_minor,
           coalesce(-sum(e.held_change_minor)
               FILTER (WHERE t.kind = 'COMMIT'), 0) AS captured_minor,
           coalesce(-sum(e.held_change_minor)
               FILTER (WHERE t.kind IN ('CANCELLATION', 'EXPIRATION')), 0) AS released_minor
    FROM transactions t JOIN entries e USING (transaction_id)
    WHERE t.booking_id IS NOT NULL AND e.held_change_minor <> 0
    GROUP BY t.booking_id, e.account_id
), taken AS (
    SELECT booking_id, max(wallet_id) AS wallet_id, bool_or(kind = 'EXPIRATION') AS expired,
           coalesce(sum((SELECT sum((charge ->> 'quantity')::bigint)
                         FROM jsonb_array_elements(charges) AS charge))
               FILTER (WHERE kind = 'COMMIT'), 0) AS captured_quantity
    FROM transactions WHERE booking_id IS NOT NULL
    GROUP BY booking_id
), should AS (
    SELECT * FROM moved JOIN taken USING (booking_id)
)
SELECT 'booking_id=' || booking_id,
       format('it is (%s), but should be (%s)',
              concat_ws(', ', h.account_id, h.amount_minor, h.captured_minor, h.released_minor,
                        h.wallet_id, h.captured_quantity, h.expired),
              concat_ws(', ', s.account_id, s.amount_minor, s.captured_minor, s.released_minor,
                        s.wallet_id, s.captured_quantity, s.expired))
FROM holds h FULL JOIN should s USING (booking_id, account_id)
WHERE (h.amount_minor, h.captured_minor, h.released_minor, h.wallet_id, h.captured_quantity,
       h.expired)
    IS DISTINCT FROM
      (s.amount_minor, s.captured_minor, s.released_minor, s.wallet_id, s.captured_quantity,
       s.expired)
ORDER BY booking_id LIMIT $1
"""

VOIDS_OFF = """
WITH own AS (
    SELECT t.transaction_id, t.voids_transaction_id,
           coalesce(abs(t.spent_minor), abs(min(e.amount_minor))) AS amount_minor
    FROM transactions t
    LEFT JOIN (entries e JOIN accounts a USING (account_id))
        ON e.transaction_id = t.transaction_id AND a.wallet_id = t.wallet_id AND e.amount_minor <> 0
    WHERE t.voids_transaction_id IS NOT NULL
       OR t.transaction_id IN (SELECT transaction_id FROM voids)
    GROUP BY t.transaction_id, t.voids_transaction_id, t.spent_minor
), voided AS (
    SELECT voids_transaction_id AS transaction_id, sum(amount_minor) AS voided_minor
    FROM own WHERE voids_transaction_id IS NOT NULL
    GROUP BY voids_transaction_id
)
SELECT 'transaction_id=' || transaction_id,
       format('it is (%s of %s), but should be (%s of %s)',
              v.voided_minor, v.amount_minor, d.voided_minor, o.amount_minor)
FROM voids v
FULL JOIN voided d USING (transaction_id)
LEFT JOIN own o USING (transaction_id)
WHERE (v.voided_minor, v.amount_minor) IS DISTINCT FROM (d.voided_minor, o.amount_minor)
ORDER BY transaction_id LIMIT $1
"""

WINDOWS_OFF = """
WITH counted AS (
    SELECT (key ->> 0)::bigint AS wallet_id, key ->> 1 AS asset_code, key ->> 2 AS product_code,
           key ->> 3 AS period, (key ->> 4)::date AS starts_on, sum(t.spent_minor) AS spent_minor
    FROM transactions t CROSS JOIN LATERAL jsonb_array_elements(t.counted) AS key
    WHERE t.counted IS NOT NULL AND t.kind <> 'COMMIT'
    GROUP BY 1, 2, 3, 4, 5
)
SELECT format('wallet_id=%s, asset_code=%s, product_code=%s, period=%s, starts_on=%s',
              wallet_id, asset_code, product_code, period, starts_on),
       format('spent_minor is %s, but should be %s', w.spent_minor, c.spent_minor)
FROM spending_windows w
FULL JOIN counted c USING (wallet_id, asset_code, product_code, period, starts_on)
WHERE coalesce(w.spent_minor, 0) <> coalesce(c.spent_minor, 0)
ORDER BY wallet_id, asset_code, product_code, period, starts_on LIMIT $1
"""

LOTS_OFF = """
WITH moved AS (
    SELECT lot_transaction_id AS transaction_id, lot_index,
           -sum(amount_minor) AS remaining_minor,
           sum(held_change_minor) AS held_minor,
           max(le.transaction_id) AS last_transaction_id
    FROM lot_entries le
    GROUP BY lot_transaction_id, lot_index
)
SELECT format('transaction_id=%s, lot_index=%s', transaction_id, lot_index),
       format('it is (%s), but should be (%s)',
              concat_ws(', ', l.remaining_minor, l.held_minor, l.last_transaction_id),
              concat_ws(', ', m.remaining_minor, m.held_minor, m.last_transaction_id))
FROM lots l FULL JOIN moved m USING (transaction_id, lot_index)
WHERE (l.remaining_minor, l.held_minor, l.last_transaction_id)
    IS DISTINCT FROM (m.remaining_minor, m.held_minor, m.last_transaction_id)
ORDER BY transaction_id, lot_index LIMIT $1
"""

OPEN_LOTS_OFF = """
SELECT 'account_id=' || account_id,
       format('open_lots is %s, but should be %s', a.open_lots, count(l.remaining_minor))
FROM accounts a LEFT JOIN lots l USING (account_id)
WHERE l.remaining_minor IS NULL OR l.remaining_minor > 0
GROUP BY account_id, a.open_lots
HAVING a.open_lots <> count(l.remaining_minor)
ORDER BY account_id LIMIT $1
"""

STATES_OFF = """
SELECT 'account_id=' || account_id,
       format('wallet_state is %s, but the wallet is %s', a.wallet_state, w.state)
FROM accounts a JOIN wallets w USING (wallet_id)
WHERE a.wallet_state <> w.state
ORDER BY account_id LIMIT $1
"""

REQUESTS_OFF = """
SELECT 'request_digest=' || encode(request_digest, 'hex'),
       format('its transaction %s is not there', r.transaction_id)
FROM requests r LEFT JOIN transactions t USING (transaction_id)
WHERE r.transaction_id IS NOT NULL AND t.transaction_id IS NULL
ORDER BY r.transaction_id LIMIT $1
"""

OUTBOX_OFF = """
SELECT 'transaction_id=' || o.transaction_id,
       format('it is of wallet %s, but should be of %s', o.wallet_id,
              coalesce(t.wallet_id::text, 'none: there is no such event'))
FROM outbox o LEFT JOIN transactions t
    ON t.transaction_id = o.transaction_id AND t.event IS NOT NULL
WHERE o.wallet_id IS DISTINCT FROM t.wallet_id
ORDER BY o.transaction_id LIMIT $1
"""

COMPARISONS = (
    ("holds", HOLDS_OFF),
    ("voids", VOIDS_OFF),
    ("spending_windows", WINDOWS_OFF),
    ("lots", LOTS_OFF),
    ("accounts", OPEN_LOTS_OFF),
    ("accounts", STATES_OFF),
    ("requests", REQUESTS_OFF),
    ("outbox", OUTBOX_OFF),
)
"""Tables, and statements that compare their rows with what others say that they should be."""


async def rows_off(conn: Connection, table: str, comparison: str, limit: int) -> list[Finding]:
    """Answer the first rows of a table that are not what they should be."""
    rows = await survey(conn, comparison, limit, timeout_s=AGGREGATE_TIMEOUT_S)
    return [Finding(table, *row) for row in rows]
