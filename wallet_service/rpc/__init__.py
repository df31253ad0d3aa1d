"""gRPC in, use case, gRPC out: what this process serves."""

from dataclasses import dataclass

import grpc
from privy.wallet.v1 import (
    event_log_pb2,
    event_log_pb2_grpc,
    feed_pb2,
    feed_pb2_grpc,
    ledger_pb2,
    ledger_pb2_grpc,
    wallet_pb2,
    wallet_pb2_grpc,
)

from shared.paging import PageTokens
from shared.rpc_server import Services
from wallet_service.events import Events
from wallet_service.feed import Feed
from wallet_service.ledger import Ledger
from wallet_service.periods import Periods
from wallet_service.reports import Reports
from wallet_service.rpc.event_log import EventLogServicer
from wallet_service.rpc.feed import EventFeedServicer
from wallet_service.rpc.ledger import LedgerServicer
from wallet_service.rpc.wallets import WalletServicer
from wallet_service.spending import Spending
from wallet_service.verification import Verification
from wallet_service.wallets import Wallets


@dataclass(frozen=True, slots=True)
class UseCases:
    """All that the Wallet can be asked."""

    wallets: Wallets
    spending: Spending
    ledger: Ledger
    reports: Reports
    periods: Periods
    verification: Verification
    feed: Feed
    events: Events


def services(do: UseCases, tokens: PageTokens) -> Services:
    """Say which gRPC services this process serves, and with what."""

    def register(server: grpc.aio.Server) -> None:
        wallet_pb2_grpc.add_WalletServiceServicer_to_server(
            WalletServicer(do.wallets, do.spending, do.reports, tokens), server
        )
        ledger_pb2_grpc.add_LedgerServiceServicer_to_server(
            LedgerServicer(do.ledger, do.reports, do.periods, do.verification, tokens), server
        )
        feed_pb2_grpc.add_EventFeedServiceServicer_to_server(EventFeedServicer(do.feed), server)
        event_log_pb2_grpc.add_EventLogServiceServicer_to_server(
            EventLogServicer(do.events, tokens), server
        )

    packages = (wallet_pb2, ledger_pb2, feed_pb2, event_log_pb2)
    names = tuple(
        service.full_name
        for package in packages
        for service in package.DESCRIPTOR.services_by_name.values()
    )
    return Services(names, register)
