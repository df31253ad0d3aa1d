"""Composition: the only place of the Wallet service that builds clients."""

import asyncio
import random
from datetime import timedelta

from shared.health import Health
from shared.paging import PageTokens
from shared.process import load_settings
from shared.rpc_edge import Edge
from shared.rpc_server import serve
from shared.telemetry import build_metrics, build_tracing, configure_logging
from wallet_service import rpc
from wallet_service.directory import Directory
from wallet_service.events import Events
from wallet_service.expiry import Expiry
from wallet_service.feed import Feed
from wallet_service.ledger import Ledger
from wallet_service.models.registry import MODELS
from wallet_service.periods import Periods
from wallet_service.reports import Reports
from wallet_service.settings import WalletSettings
from wallet_service.spending import Spending
from wallet_service.store import connections
from wallet_service.store.upkeep import ensure_partitions
from wallet_service.upkeep import Upkeep
from wallet_service.verification import Verification
from wallet_service.wallets import Wallets


async def main(stop: asyncio.Event) -> None:
    """Serve until `stop`; then finish what is under way and end."""
    settings = load_settings(WalletSettings)
    configure_logging(settings, "wallet")
    metrics, tracing = build_metrics(settings, "wallet"), build_tracing(settings, "wallet")
    url = settings.wallet_database_url
    if fault := await connections.fault_of(url):
        raise SystemExit(f"wallet: {fault}")
    async with (
        await connections.open_pool(url, settings.wallet_posting_connections) as posting,
        await connections.open_pool(url, settings.wallet_reading_connections) as reading,
        await connections.open_pool(url, connections.FEED_CONNECTIONS) as feeding,
    ):
        await ensure_partitions(reading)
        ledger = Ledger(
            connections.Pools(posting, reading),
            Directory(MODELS),
            _house_stripes(settings),
            metrics,
        )
        use_cases = rpc.UseCases(
            wallets=Wallets(reading),
            spending=Spending(reading),
            ledger=ledger,
            reports=Reports(reading),
            periods=Periods(reading),
            verification=Verification(reading),
            feed=Feed(feeding),
            events=Events(reading),
        )
        services = rpc.services(use_cases, PageTokens(settings.wallet_page_token_secret))
        health = Health({"postgres": lambda: connections.probe(reading)}, required=["postgres"])
        retention = timedelta(days=settings.wallet_request_retention_days)
        chores = [
            asyncio.create_task(Upkeep(reading, retention).run()),
            asyncio.create_task(Expiry(reading, ledger).run()),
        ]
        try:
            edge = Edge(tracing, metrics)
            listen, engine = settings.wallet_listen, settings.rpc_engine
            await serve(listen, services, health, edge, stop, engine=engine)
        finally:
            for each in chores:
                each.cancel()
            await asyncio.wait(chores)
            await ledger.drain()


def _house_stripes(settings: WalletSettings) -> list[int]:
    """Choose a stripe for each posting connection; other processes most likely choose others."""
    first = random.randrange(settings.wallet_house_stripes)  # noqa: S311 (no secret)
    return [
        (first + each) % settings.wallet_house_stripes
        for each in range(settings.wallet_posting_connections)
    ]
