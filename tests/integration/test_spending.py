"""What was spent against limits, on a real Postgres."""

import pytest

from shared.errors import NotFound
from tests.books import Books, request
from tests.databases import WalletDatabase
from wallet_service.decide.policy import Limit, WindowKey, window_of
from wallet_service.drafts import NewWallet
from wallet_service.store import connections
from wallet_service.store.periods import read_clock


def limit(period: str, limit_minor: int, product_code: str = "") -> dict[str, object]:
    return {
        "asset_code": "IDR",
        "limit_minor": limit_minor,
        "period": period,
        "product_code": product_code,
    }


async def spend(database: WalletDatabase, limit: Limit, spent_minor: int) -> WindowKey:
    """Write down what was spent in the limit's present stretch."""
    async with (
        await connections.open_pool(database.owner_url, 1) as pool,
        pool.acquire() as conn,
    ):
        window = window_of(limit, await read_clock(conn))
        await conn.execute(
            "INSERT INTO spending_windows "
            "(wallet_id, asset_code, product_code, period, starts_on, spent_minor) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            *window,
            spent_minor,
        )
    return window


async def test_spending_is_told_limit_by_limit(
    books: Books, wallet_database: WalletDatabase
) -> None:
    """A wallet's own limits come first, then those above; each with what counts against it."""
    above = {"limits": [limit("MONTH", 9)], "time_zone": "Asia/Jakarta"}
    reseller = await books.wallets.create(request(), NewWallet("RESELLER", "r", None, {}, above))
    own = {"limits": [limit("TRANSACTION", 3), limit("DAY", 4, "STAMP"), limit("WEEK", 5)]}
    new = NewWallet("PERSONAL", "p", reseller.wallet_id, {}, own)
    person = (await books.wallets.create(request(), new)).wallet_id
    day = Limit(person, "IDR", "STAMP", "DAY", 4, "UTC")
    month = Limit(reseller.wallet_id, "IDR", "", "MONTH", 9, "Asia/Jakarta")
    await spend(wallet_database, day, 2)
    began = await spend(wallet_database, month, 7)
    spending = await books.spending.of_wallet(person)
    assert [(each.limit.period, each.spent_minor) for each in spending] == [
        ("TRANSACTION", 0),
        ("DAY", 2),
        ("WEEK", 0),
        ("MONTH", 7),
    ]
    assert spending[0].starts_at is None
    last = spending[-1].starts_at
    assert last is not None
    assert (last.hour, began.starts_on.day) == (17, 1)


async def test_a_wallet_that_is_not_there_spends_nothing(books: Books) -> None:
    """It is not found."""
    with pytest.raises(NotFound):
        await books.spending.of_wallet(999_999)
