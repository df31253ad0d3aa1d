"""Reads of balances, of one wallet or of all books, now or as of a time.

A time is given as its exclusive end: what was written, or counts, before it.
"""

from dataclasses import dataclass
from datetime import datetime

from wallet_service import ids
from wallet_service.decide.plan import WALLET
from wallet_service.store.connections import Connection, survey


@dataclass(frozen=True, slots=True)
class Bound:
    """Everything before a time: what was written before it, or what counts before it."""

    before: datetime
    by_effective_time: bool

    @property
    def first_id(self) -> int:
        """The id below which lies what was written before."""
        return ids.first_id_from(self.before)


@dataclass(frozen=True, slots=True)
class Balance:
    """What a wallet holds of one asset, seen from the customer."""

    asset_code: str
    posted_minor: int
    held_minor: int
    credit_limit_minor: int

    @property
    def available_minor(self) -> int:
        return self.posted_minor - self.held_minor + self.credit_limit_minor


LOAD_BALANCES = """
SELECT asset_code, -balance_minor, held_minor, credit_limit_minor
FROM accounts WHERE wallet_id = $1 AND account_type = $2
ORDER BY asset_code
"""


async def load_balances(conn: Connection, wallet_id: int) -> list[Balance]:
    rows = await conn.fetch(LOAD_BALANCES, wallet_id, WALLET)
    return [Balance(*row) for row in rows]


LOAD_BALANCES_BEFORE = """
SELECT a.asset_code,
       -coalesce(last.balance_after_minor, 0) - coalesce(shifted.amount_minor, 0)::bigint,
       coalesce(last.held_after_minor, 0) + coalesce(shifted.held_change_minor, 0)::bigint,
       coalesce(last.credit_limit_minor, 0)
FROM accounts a
LEFT JOIN LATERAL (
    SELECT e.balance_after_minor, e.held_after_minor, e.credit_limit_minor
    FROM entries e
    WHERE e.account_id = a.account_id AND e.transaction_id < $3
    ORDER BY e.transaction_id DESC
    LIMIT 1
) AS last ON true
LEFT JOIN LATERAL (
    SELECT sum(CASE WHEN e.transaction_id < $3 THEN -e.amount_minor ELSE e.amount_minor END)
               AS amount_minor,
           sum(CASE WHEN e.transaction_id < $3 THEN -e.held_change_minor
                    ELSE e.held_change_minor END) AS held_change_minor
    FROM entries e
    WHERE $4 AND e.account_id = a.account_id AND e.effective_at IS NOT NULL
      AND (e.transaction_id < $3) = (e.effective_at >= $5)
) AS shifted ON true
WHERE a.wallet_id = $1 AND a.account_type = $2
  AND (last.balance_after_minor IS NOT NULL OR shifted.amount_minor IS NOT NULL)
ORDER BY a.asset_code
"""


async def load_balances_before(conn: Connection, wallet_id: int, bound: Bound) -> list[Balance]:
    """Read the balances as they stood right before a time.

    By effective time they are those by record time, corrected by the few entries that were
    written on one side of it and count on the other.
    """
    rows = await conn.fetch(
        LOAD_BALANCES_BEFORE,
        wallet_id,
        WALLET,
        bound.first_id,
        bound.by_effective_time,
        bound.before,
    )
    return [Balance(*row) for row in rows]


AWAIT_POSTINGS = """
SELECT account_id FROM accounts
WHERE wallet_id = $1 AND account_type = $2
ORDER BY account_id
FOR SHARE
"""


async def await_postings(conn: Connection, wallet_id: int) -> None:
    """Return when all postings that were under way on a wallet have ended.

    They drew their times after they had locked its accounts: whatever comes later is later.
    """
    await conn.fetch(AWAIT_POSTINGS, wallet_id, WALLET)


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    account_type: str
    asset_code: str
    amount_minor: int


LOAD_TRIAL_BALANCE = """
SELECT account_type, asset_code, amount_minor FROM trial_balance
ORDER BY asset_code, account_type
"""


async def load_trial_balance(conn: Connection) -> list[TrialBalanceLine]:
    """Sum the books in one snapshot: each asset sums to zero."""
    rows = await survey(conn, LOAD_TRIAL_BALANCE)
    return [TrialBalanceLine(row[0], row[1], int(row[2])) for row in rows]


LOAD_TRIAL_BALANCE_BEFORE = """
SELECT a.account_type, a.asset_code, sum(moved.minor)
FROM (
    SELECT account_id, balance_minor AS minor FROM accounts
    UNION ALL
    SELECT account_id, -amount_minor FROM entries
    WHERE transaction_id >= $1 AND (NOT $2 OR effective_at IS NULL OR effective_at >= $3)
    UNION ALL
    SELECT account_id, -amount_minor FROM entries
    WHERE $2 AND transaction_id < $1 AND effective_at >= $3
) AS moved
JOIN accounts a USING (account_id)
GROUP BY a.account_type, a.asset_code
ORDER BY a.asset_code, a.account_type
"""


async def load_trial_balance_before(conn: Connection, bound: Bound) -> list[TrialBalanceLine]:
    """Sum the books as they stood right before a time: now, less what came since."""
    rows = await survey(
        conn, LOAD_TRIAL_BALANCE_BEFORE, bound.first_id, bound.by_effective_time, bound.before
    )
    return [TrialBalanceLine(row[0], row[1], int(row[2])) for row in rows]
