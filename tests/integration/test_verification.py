"""The verification: whole books pass, and a row altered by a superuser is named."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from tests import plans
from tests.books import Books, request
from tests.databases import WalletDatabase
from wallet_service.audit import Finding
from wallet_service.chain import Head
from wallet_service.decide.model import Transaction
from wallet_service.decide.plan import LotTerms
from wallet_service.drafts import NewWallet
from wallet_service.store.connections import Connection
from wallet_service.verification import Summary

# What a superuser may have changed, and the table and row that the first finding must name.
TAMPERINGS = {
    "an amount": ("UPDATE entries SET amount_minor = amount_minor + 1 WHERE {usage}",
        "transactions", "transaction_id={usage_id}"),
    "both amounts": ("UPDATE entries SET amount_minor = amount_minor * 2 WHERE {usage}",
        "transactions", "transaction_id={usage_id}"),
    "a held change": ("UPDATE entries SET held_change_minor = 7 WHERE {usage}",
        "transactions", "transaction_id={usage_id}"),
    "a balance after": ("UPDATE entries SET balance_after_minor = 0 WHERE {usage}",
        "transactions", "transaction_id={usage_id}"),
    "an entry's time": ("UPDATE entries SET effective_at = now() WHERE {usage}",
        "entries", "transaction_id={usage_id}, leg_index=0"),
    "an entry's asset": ("UPDATE entries SET asset_code = 'USD' WHERE {usage}",
        "entries", "transaction_id={usage_id}, leg_index=0"),
    "an entry's account": ("UPDATE entries SET account_id = account_id + 1 WHERE {usage}",
        "transactions", "transaction_id={usage_id}"),
    "a lost entry": ("DELETE FROM entries WHERE {usage} AND leg_index = 1",
        "transactions", "transaction_id={usage_id}"),
    "a reference": ("UPDATE transactions SET reference = 'other' WHERE {usage}",
        "transactions", "transaction_id={usage_id}"),
    "notes": ("""UPDATE transactions SET metadata = '{{"a": "b"}}' WHERE {usage}""",
        "transactions", "transaction_id={usage_id}"),
    "an event": ("UPDATE transactions SET event = 'x' WHERE {usage}",
        "transactions", "transaction_id={usage_id}"),
    "a request id": ("UPDATE transactions SET request_id = 'x' WHERE {usage}",
        "transactions", "transaction_id={usage_id}"),
    "an effective time": ("UPDATE transactions SET effective_at = now() WHERE {usage}",
        "transactions", "transaction_id={usage_id}"),
    "a record time": ("UPDATE transactions SET recorded_at = now() WHERE {usage}",
        "transactions", "transaction_id={usage_id}"),
    "a hash": ("UPDATE transactions SET hash = sha256('x') WHERE {usage}",
        "transactions", "transaction_id={usage_id}"),
    "no hash": ("UPDATE transactions SET hash = NULL, chain = NULL WHERE {usage}",
        "transactions", "transaction_id={usage_id}"),
    "the last transaction": ("""DELETE FROM entries WHERE {last};
        DELETE FROM lot_entries WHERE {last}; DELETE FROM transactions WHERE {last}""",
        "chains", "chain={chain}"),
    "a chain's end": ("UPDATE chains SET hash = sha256('x') WHERE chain = {chain}",
        "chains", "chain={chain}"),
    "a balance": ("UPDATE accounts SET balance_minor = balance_minor - 5 WHERE account_id = 2",
        "accounts", "account_id=2"),
    "held money": ("UPDATE accounts SET held_minor = held_minor - 5 WHERE account_id = 2",
        "accounts", "account_id=2"),
    "an account's count of lots": ("UPDATE accounts SET open_lots = 0 WHERE account_id = 2",
        "accounts", "account_id=2"),
    "an account's state": ("UPDATE accounts SET wallet_state = 'FROZEN' WHERE account_id = 2",
        "accounts", "account_id=2"),
    "a lost account": ("DELETE FROM accounts WHERE account_type = 'REVENUE'",
        "transactions", ""),
    "what a hold took": ("UPDATE holds SET captured_minor = captured_minor + 1",
        "holds", "booking_id={booking_id}"),
    "a hold's expiry": ("UPDATE holds SET expires_at = now()",
        "transactions", "transaction_id={booking_id}"),
    "a hold's count of units": ("UPDATE holds SET captured_quantity = captured_quantity + 1",
        "holds", "booking_id={booking_id}"),
    "who booked": ("UPDATE holds SET wallet_id = wallet_id + 1",
        "holds", "booking_id={booking_id}"),
    "a lost hold": ("DELETE FROM holds", "transactions", "transaction_id={booking_id}"),
    "a void": ("UPDATE voids SET voided_minor = voided_minor + 1",
        "voids", "transaction_id={usage_id}"),
    "what is left of a lot": ("""UPDATE lots SET remaining_minor = remaining_minor - 1
        WHERE transaction_id = {lot_id}""",
        "lots", "transaction_id={lot_id}, lot_index=0"),
    "a lot's expiry": ("UPDATE lots SET expires_at = expires_at + interval '1 day'",
        "transactions", "transaction_id={lot_id}"),
    "a draw": ("UPDATE lot_entries SET amount_minor = amount_minor + 1 WHERE {usage}",
        "transactions", "transaction_id={usage_id}"),
    "a request": ("UPDATE requests SET transaction_id = {lot_id} WHERE {usage}",
        "requests", "request_digest="),
    "a lost request": ("DELETE FROM requests WHERE {usage}", "requests", "request_digest="),
    "a request for nothing": ("""INSERT INTO requests (request_digest, body_digest,
        transaction_id, recorded_at) VALUES ('x', 'x', 7, now())""",
        "requests", "request_digest=78"),
    "what a window counts": ("UPDATE spending_windows SET spent_minor = spent_minor - 1",
        "spending_windows", "wallet_id={spender}, asset_code=IDR"),
    "a lost window": ("DELETE FROM spending_windows",
        "spending_windows", "wallet_id={spender}, asset_code=IDR"),
    "what was spent": ("UPDATE transactions SET spent_minor = spent_minor + 1 WHERE {spent}",
        "transactions", "transaction_id={spent_id}"),
    "where it counts": ("UPDATE transactions SET counted = NULL WHERE {spent}",
        "transactions", "transaction_id={spent_id}"),
    "who paid": ("UPDATE transactions SET paid_by_others = NOT paid_by_others WHERE {spent}",
        "transactions", "transaction_id={spent_id}"),
    "an event in the outbox": ("INSERT INTO outbox VALUES ({booking_id}, 1)",
        "outbox", "transaction_id={booking_id}"),
}  # fmt: skip


@pytest.fixture
async def superuser(wallet_database: WalletDatabase) -> AsyncIterator[Connection]:
    """Someone with all rights, whom no trigger stops."""
    conn = await asyncpg.connect(wallet_database.owner_url)
    await conn.execute("SET session_replication_role = replica")
    yield conn
    await conn.close()


async def verify(books: Books, *known_heads: Head) -> tuple[list[Finding], Summary]:
    reports = [each async for each in books.verification.run(known_heads)]
    summary = reports[-1]
    assert isinstance(summary, Summary)
    return [each for each in reports if isinstance(each, Finding)], summary


async def fill(books: Books) -> dict[str, str]:
    """Post some of everything, one after the other, so that all is in one chain."""
    wallet, other = await books.wallet(1000), await books.wallet()
    expires_at = datetime.now(UTC) + timedelta(days=1)
    lot = replace(plans.top_up(wallet, 90), lot=LotTerms("BONUS", 10, expires_at))
    opened = await books.post(lot)
    booking = await books.post(plans.booking(wallet, 40, expires_at))
    await books.post(plans.commit(wallet, booking.transaction_id, 30))
    usage = await books.post(plans.usage(wallet, 20))
    await books.post(plans.void(wallet, usage.transaction_id, 5))
    dated = replace(plans.usage(wallet, 1), effective_at=datetime(2026, 1, 31, tzinfo=UTC))
    await books.post(dated)
    spent = await spend_in_tree(books)
    last = await books.post(plans.transfer(wallet, other, 5))
    _, summary = await verify(books)
    (head,) = summary.heads
    return {
        "usage": f"transaction_id = {usage.transaction_id}",
        "usage_id": str(usage.transaction_id),
        "booking_id": str(booking.transaction_id),
        "lot_id": str(opened.transaction_id),
        "spent": f"transaction_id = {spent.transaction_id}",
        "spent_id": str(spent.transaction_id),
        "spender": str(spent.wallet_id),
        "last": f"transaction_id = {last.transaction_id}",
        "chain": str(head.chain),
    }


async def spend_in_tree(books: Books) -> Transaction:
    """Have a wallet with a limit use what the one above it pays."""
    top = await books.wallets.create(request(), NewWallet("ENTERPRISE", "top"))
    await books.post(plans.top_up(top.wallet_id, 100))
    limit = {"asset_code": "IDR", "limit_minor": 50, "period": "DAY"}
    policy = {"funding_source": "NEAREST_ANCESTOR", "limits": [limit]}
    new = NewWallet("ENTERPRISE", "spender", top.wallet_id, {"role": "CHANNEL"}, policy)
    spender = await books.wallets.create(request(), new)
    return await books.post(plans.spending(spender.wallet_id, 30))


async def test_whole_books_pass(books: Books) -> None:
    """After some of everything, over several chains at once, nothing is off."""
    await fill(books)
    wallet = await books.wallet(1000)
    ledgers = [books.ledger, books.other_ledger]
    await asyncio.gather(*(ledgers[i % 2].post(plans.usage(wallet, 1)) for i in range(300)))
    findings, summary = await verify(books)
    assert findings == []
    assert summary.transactions == 311
    assert len(summary.heads) > 1


async def test_books_pass_where_a_lot_went_into_a_debt_at_once(books: Books) -> None:
    """A lot of which nothing stayed when it was added is no row, and no part of the chain."""
    wallet, other = await books.wallet(), await books.wallet()
    await books.wallets.set_credit_limit(request(), wallet, "IDR", 40)
    await books.post(plans.usage(wallet, 40))
    lot = replace(plans.top_up(wallet, 30), lot=LotTerms("BONUS", 10, None))
    opened = await books.post(lot)
    assert await books.ledger.post(lot) == opened
    await books.post(replace(plans.top_up(other, 10), lot=LotTerms("BONUS", 10, None)))
    await books.post(plans.transfer(other, wallet, 10))
    assert await books.reports.lots(wallet, "IDR") == []
    assert (await verify(books))[0] == []


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_tampering_is_found(what: str, books: Books, superuser: Connection) -> None:
    """The first finding names the table and the row that was altered."""
    named = await fill(books)
    statement, table, row = TAMPERINGS[what]
    await superuser.execute(statement.format(**named))
    findings, _ = await verify(books)
    assert findings, "nothing was found"
    assert findings[0].table == table, findings
    assert findings[0].row.startswith(row.format(**named)), findings


async def test_a_chain_that_was_made_anew_is_found_by_a_noted_head(books: Books) -> None:
    """Who rewrites a whole chain well passes alone, and not beside a head noted earlier."""
    await fill(books)
    _, before = await verify(books)
    (head,) = before.heads
    await books.wallet(1)
    assert (await verify(books, head))[0] == []
    forged = replace(head, hash=bytes(range(32)))
    findings, _ = await verify(books, forged)
    assert findings[0].row == f"transaction_id={head.last_transaction_id}"
    gone = replace(head, last_transaction_id=1 << 62)
    findings, _ = await verify(books, gone)
    assert "ends before it" in findings[0].detail


async def test_what_was_written_before_there_were_chains_needs_no_hash(
    books: Books, superuser: Connection
) -> None:
    """Without a hash may be only what no chained transaction came before."""
    await fill(books)
    await superuser.execute("UPDATE transactions SET hash = NULL, chain = NULL")
    await superuser.execute("UPDATE chains SET hash = DEFAULT, last_transaction_id = 0")
    assert (await verify(books))[0] == []
    await books.wallet(1)
    assert (await verify(books))[0] == []


async def test_verifying_ends_after_a_hundred_findings(books: Books, superuser: Connection) -> None:
    """A ledger that is off everywhere is not listed as a whole."""
    wallet = await books.wallet()
    await asyncio.gather(*(books.ledger.post(plans.top_up(wallet, 1)) for _ in range(200)))
    await superuser.execute("UPDATE entries SET amount_minor = amount_minor * 2")
    findings, summary = await verify(books)
    assert len(findings) == summary.findings == 100
