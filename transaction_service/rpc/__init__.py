"""gRPC in, use case, gRPC out: what this process serves."""

from dataclasses import dataclass

import grpc
from privy.transaction.v1 import (
    enterprise_pb2,
    enterprise_pb2_grpc,
    price_book_pb2,
    price_book_pb2_grpc,
    transaction_pb2,
    transaction_pb2_grpc,
)

from shared.paging import PageTokens
from shared.rpc_server import Services
from transaction_service.actions import Actions
from transaction_service.batches import Batches
from transaction_service.catalogue import Catalogue
from transaction_service.enterprise import Enterprise
from transaction_service.rpc.enterprise import EnterpriseServicer
from transaction_service.rpc.price_books import PriceBookServicer
from transaction_service.rpc.transactions import TransactionServicer
from transaction_service.wallet_client import WalletClient


@dataclass(frozen=True, slots=True)
class UseCases:
    """All that the front door can be asked; some reads are the Wallet's."""

    actions: Actions
    batches: Batches
    enterprise: Enterprise
    catalogue: Catalogue
    wallet: WalletClient


def services(do: UseCases, tokens: PageTokens) -> Services:
    """Say which gRPC services this process serves, and with what."""

    def register(server: grpc.aio.Server) -> None:
        transaction_pb2_grpc.add_TransactionServiceServicer_to_server(
            TransactionServicer(do.actions, do.batches, do.wallet), server
        )
        enterprise_pb2_grpc.add_EnterpriseServiceServicer_to_server(
            EnterpriseServicer(do.enterprise), server
        )
        price_book_pb2_grpc.add_PriceBookServiceServicer_to_server(
            PriceBookServicer(do.catalogue, tokens), server
        )

    packages = (transaction_pb2, enterprise_pb2, price_book_pb2)
    names = tuple(
        service.full_name
        for package in packages
        for service in package.DESCRIPTOR.services_by_name.values()
    )
    return Services(names, register)
