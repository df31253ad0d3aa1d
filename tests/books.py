"""A Wallet process's use cases on a real database, for tests that need no gRPC."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.idempotency import digest
from shared.telemetry import NoMetrics
from tests import plans
from tests.databases import WalletDatabase
from wallet_service.decide.model import Transaction
from wallet_service.decide.plan import Plan
from wallet_service.directory import Directory
from wallet_service.drafts import NewWallet
from wallet_service.events import Events
from wallet_service.expiry import Expiry
from wallet_service.feed import Feed
from wallet_service.ledger import Ledger
from wallet_service.models.registry import MODELS
from wallet_service.once import Request
from wallet_service.periods import Periods
from wallet_service.reports import Reports
from wallet_service.spending import Spending
from wallet_service.store import connections
from wallet_service.verification import Verification
from wallet_service.wallets import Wallets


class Books:
    """One Wallet process's use cases on a database, and a second one's ledger beside it."""

    def __init__(self, posting: connections.Pool, reading: connections.Pool) -> None:
        pools = connections.Pools(posting, reading)
        self.ledger = Ledger(pools, Directory(MODELS), [0, 1], NoMetrics())
        self.other_ledger = Ledger(pools, Directory(MODELS), [2, 3], NoMetrics())
        self.pool = reading
        self.wallets = Wallets(reading)
        self.spending = Spending(reading)
        self.reports = Reports(reading)
        self.periods = Periods(reading)
        self.verification = Verification(reading)
        self.feed = Feed(reading)
        self.events = Events(reading)
        self.expiry = Expiry(reading, self.ledger)

    async def wallet(self, funds_minor: int = 0) -> int:
        wallet = await self.wallets.create(request(), NewWallet("PERSONAL", "somebody"))
        if funds_minor:
            await self.post(plans.top_up(wallet.wallet_id, funds_minor))
        return wallet.wallet_id

    async def post(self, plan: Plan) -> Transaction:
        answer = await self.ledger.post(plan)
        assert isinstance(answer, Transaction), answer
        return answer

    async def available(self, wallet_id: int) -> int:
        (balance,) = await self.reports.balances(wallet_id, None)
        return balance.available_minor


def request(name: str = "", body: str = "body") -> Request:
    name = name or uuid.uuid4().hex
    return Request(name, digest(name.encode()), digest(body.encode()), validate_only=False)


@asynccontextmanager
async def open_books(database: WalletDatabase) -> AsyncIterator[Books]:
    async with (
        await connections.open_pool(database.service_url, 4) as posting,
        await connections.open_pool(database.service_url, 4) as reading,
    ):
        yield Books(posting, reading)
