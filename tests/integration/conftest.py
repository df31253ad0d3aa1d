"""What tests on a real database share."""

from collections.abc import AsyncIterator

import pytest

from tests.books import Books, open_books
from tests.databases import WalletDatabase


@pytest.fixture
async def books(wallet_database: WalletDatabase) -> AsyncIterator[Books]:
    async with open_books(wallet_database) as opened:
        yield opened
