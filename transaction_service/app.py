"""Composition: the only place of the front door that builds clients."""

import asyncio
import tomllib
import uuid
from datetime import UTC, datetime
from pathlib import Path

from redis.asyncio import Redis

from shared import rpc_client
from shared.process import load_settings
from shared.rpc_server import Edge, Health, serve
from shared.telemetry import build_metrics, build_tracing, configure_logging
from transaction_service import rpc
from transaction_service.actions import Actions
from transaction_service.enterprise import Enterprise
from transaction_service.locks import WalletLocks
from transaction_service.posting import Posting
from transaction_service.pricing.price_book import PriceBook
from transaction_service.pricing.price_books import Dated, PriceBooks
from transaction_service.pricing.prices import prepare
from transaction_service.profiles import Profiles
from transaction_service.settings import TransactionSettings
from transaction_service.wallet_client import READ_TIMEOUT_S, WalletClient


async def main(stop: asyncio.Event) -> None:
    """Serve until `stop`; then finish what is under way, give the locks back, and end.

    Without Redis the front door serves on, more slowly; without the Wallet it does not.
    """
    settings = load_settings(TransactionSettings)
    configure_logging(settings, "transaction")
    metrics = build_metrics(settings, "transaction")
    price_books = load_price_books(settings.price_book_file)
    async with (
        rpc_client.open_channel(settings.wallet_target, READ_TIMEOUT_S) as channel,
        Redis.from_url(settings.redis_url) as redis,
    ):
        locks = WalletLocks(redis, uuid.uuid4().hex, metrics)
        wallet = WalletClient(channel, metrics)
        health = Health(
            {"wallet": lambda: rpc_client.probe(channel), "redis": locks.probe}, required=["wallet"]
        )
        profiles = Profiles(wallet.profiles)
        posting = Posting(profiles, locks, wallet)
        actions = Actions(price_books, utc_now, profiles, posting, wallet)
        services = rpc.services(actions, Enterprise(profiles, posting), wallet)
        edge = Edge(build_tracing(settings, "transaction"), metrics)
        locks.start()
        try:
            await serve(settings.transaction_listen, services, health, edge, stop)
            await wallet.drain()
        finally:
            await locks.close()


def load_price_books(path: Path) -> PriceBooks:
    book = prepare(PriceBook.model_validate(tomllib.loads(path.read_text())))
    books = PriceBooks()
    books.add([Dated(datetime.min.replace(tzinfo=UTC), book)], utc_now())
    return books


def utc_now() -> datetime:
    return datetime.now(UTC)
