"""gRPC in, use case, gRPC out: what this process serves."""

import grpc
from privy.transaction.v1 import (
    enterprise_pb2,
    enterprise_pb2_grpc,
    transaction_pb2,
    transaction_pb2_grpc,
)

from shared.rpc_server import Services
from transaction_service.actions import Actions
from transaction_service.enterprise import Enterprise
from transaction_service.rpc.enterprise import EnterpriseServicer
from transaction_service.rpc.transactions import TransactionServicer
from transaction_service.wallet_client import WalletClient


def services(actions: Actions, enterprise: Enterprise, wallet: WalletClient) -> Services:
    """Say which gRPC services this process serves, and with what."""

    def register(server: grpc.aio.Server) -> None:
        transaction_pb2_grpc.add_TransactionServiceServicer_to_server(
            TransactionServicer(actions, wallet), server
        )
        enterprise_pb2_grpc.add_EnterpriseServiceServicer_to_server(
            EnterpriseServicer(enterprise), server
        )

    names = tuple(
        service.full_name
        for package in (transaction_pb2, enterprise_pb2)
        for service in package.DESCRIPTOR.services_by_name.values()
    )
    return Services(names, register)
