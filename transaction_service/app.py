"""Composition: the only place of the front door that builds clients."""

import asyncio
import uuid
from datetime import UTC, datetime

from redis.asyncio import Redis

from shared import rpc_client
from shared.health import Health
from shared.paging import PageTokens
from shared.process import load_settings
from shared.rpc_edge import Edge
from shared.rpc_server import serve
from shared.telemetry import build_metrics, build_tracing, configure_logging
from transaction_service import rpc, store
from transaction_service.actions import Actions
from transaction_service.batches import Batches
from transaction_service.bookings import Bookings
from transaction_service.catalogue import Catalogue
from transaction_service.enterprise import Enterprise
from transaction_service.intents import Intents
from transaction_service.locks import WalletLocks
from transaction_service.posting import Posting
from transaction_service.price_watch import PriceWatch
from transaction_service.pricer import Pricer
from transaction_service.pricing.price_books import PriceBooks
from transaction_service.profiles import Profiles
from transaction_service.quotes import Quotes
from transaction_service.settings import TransactionSettings
from transaction_service.wallet_client import READ_TIMEOUT_S, WalletClient


async def main(stop: asyncio.Event) -> None:
    """Serve until `stop`; then finish what is under way, give the locks back, and end.

    Without Redis the front door serves on, more slowly, and without its own database with the
    prices that it has; without the Wallet it does not.
    """
    settings = load_settings(TransactionSettings)
    configure_logging(settings, "transaction")
    metrics = build_metrics(settings, "transaction")
    if fault := await store.fault_of(settings.transaction_database_url):
        raise SystemExit(f"transaction: {fault}")
    async with (
        rpc_client.open_channel(settings.wallet_target, READ_TIMEOUT_S) as channel,
        Redis.from_url(settings.redis_url) as redis,
        await store.open_pool(settings.transaction_database_url) as pool,
    ):
        locks = WalletLocks(redis, uuid.uuid4().hex, metrics)
        wallet = WalletClient(channel, metrics)
        price_books = PriceBooks()
        watch = PriceWatch(pool, price_books, _utc_now)
        secret = settings.transaction_token_secret
        pricer = Pricer(price_books, Quotes(secret), _utc_now)
        profiles = Profiles(wallet.profiles)
        posting = Posting(profiles, locks, wallet)
        intents = Intents(pricer, Bookings(wallet.booking), wallet)
        use_cases = rpc.UseCases(
            Actions(intents, pricer, profiles, posting, wallet),
            Batches(intents, profiles, locks, wallet),
            Enterprise(profiles, posting),
            Catalogue(pool, watch, _utc_now),
            wallet,
        )
        probes = {
            "wallet": lambda: rpc_client.probe(channel),
            "redis": locks.probe,
            "price_books": watch.probe,
        }
        health = Health(probes, required=["wallet"])
        edge = Edge(build_tracing(settings, "transaction"), metrics)
        await watch.look()
        watching = asyncio.create_task(watch.run())
        locks.start()
        try:
            services = rpc.services(use_cases, PageTokens(secret))
            listen, engine = settings.transaction_listen, settings.rpc_engine
            await serve(listen, services, health, edge, stop, engine=engine)
            await wallet.drain()
        finally:
            watching.cancel()
            await asyncio.wait([watching])
            await locks.close()


def _utc_now() -> datetime:
    return datetime.now(UTC)
