"""The naive wallet: one SQL transaction for each usage."""

from typing import Any

import asyncpg
import grpc
from privy.transaction.v1 import transaction_pb2 as pb

from bench.naive.serving import serve_method

CONNECTIONS = 20
STATEMENT_TIMEOUT_S = 10.0
COST_MINOR = 150_000
REVENUE, VENDOR_COST, VENDOR_PAYABLE = -1, -2, -3

SCHEMA = """
CREATE TABLE accounts (
    account_id bigint PRIMARY KEY,
    balance_minor bigint NOT NULL CHECK (balance_minor <= 0)
) WITH (fillfactor = 50);
CREATE TABLE transactions (
    transaction_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id text NOT NULL UNIQUE,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE entries (
    transaction_id bigint NOT NULL REFERENCES transactions,
    account_id bigint NOT NULL,
    amount_minor bigint NOT NULL,
    balance_after_minor bigint,
    PRIMARY KEY (transaction_id, account_id)
);
CREATE TABLE outbox (transaction_id bigint PRIMARY KEY REFERENCES transactions, payload bytea);
"""

FILL = """
INSERT INTO accounts SELECT account_id, -1_000_000_000_000_000
FROM generate_series($1::bigint, $1::bigint + $2 - 1) AS account_id
"""

LOCK = "SELECT balance_minor FROM accounts WHERE account_id = $1 FOR UPDATE"

TRANSACTION = """
INSERT INTO transactions (request_id) VALUES ($1) RETURNING transaction_id, recorded_at
"""

ENTRIES = """
INSERT INTO entries (transaction_id, account_id, amount_minor, balance_after_minor)
VALUES ($1, $2, $3, $4), ($1, -1, -$3, NULL), ($1, -2, $5, NULL), ($1, -3, -$5, NULL)
"""

BALANCE = "UPDATE accounts SET balance_minor = $2 WHERE account_id = $1"

OUTBOX = "INSERT INTO outbox (transaction_id, payload) VALUES ($1, $2)"


async def prepare(url: str, wallet_ids: range) -> None:
    """Make the tables of an empty database, with wallets that have plenty."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(SCHEMA)
        await connection.execute(FILL, wallet_ids.start, len(wallet_ids))
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


class Wallet:
    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def transfer(self, request: pb.TransferRequest, context: Any) -> pb.TransferResponse:
        """Move what is asked from a wallet to revenue, with what it costs and its event."""
        account_id = int(request.source_wallet_id.removeprefix("wal_"))
        amount_minor = request.amount.minor_units
        async with self._pool.acquire() as db, db.transaction():
            balance_minor = await db.fetchval(LOCK, account_id)
            if balance_minor is None or balance_minor + amount_minor > 0:
                await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_FUNDS")
            row = await db.fetchrow(TRANSACTION, request.request_id)
            if row is None:
                raise RuntimeError("an INSERT returned nothing")
            transaction_id, balance_minor = row["transaction_id"], balance_minor + amount_minor
            await db.execute(
                ENTRIES, transaction_id, account_id, amount_minor, balance_minor, COST_MINOR
            )
            await db.execute(BALANCE, account_id, balance_minor)
            await db.execute(OUTBOX, transaction_id, request.SerializeToString())
        done = pb.Transaction(
            transaction_id=f"txn_{transaction_id}",
            request_id=request.request_id,
            wallet_id=request.source_wallet_id,
            amount=request.amount,
        )
        done.create_time.FromDatetime(row["recorded_at"])
        return pb.TransferResponse(transaction=done)


async def serve(listen: str, url: str) -> None:
    """Serve until cancelled."""
    async with asyncpg.create_pool(
        url, min_size=CONNECTIONS, max_size=CONNECTIONS, command_timeout=STATEMENT_TIMEOUT_S
    ) as pool:
        transfer = Wallet(pool).transfer
        await serve_method(listen, "Transfer", transfer, pb.TransferRequest, pb.TransferResponse)
