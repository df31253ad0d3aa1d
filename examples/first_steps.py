"""A first caller: opens a wallet, tops it up, pays for a usage, and reads a refusal.

Run it on a fresh stack, from the top folder:

    .venv/bin/python -m devstack run -- .venv/bin/python examples/first_steps.py
"""
# ruff: noqa: INP001, T201 (a script that prints)

import os
import uuid

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from privy.transaction.v1 import transaction_pb2, transaction_pb2_grpc
from privy.wallet.v1 import wallet_pb2, wallet_pb2_grpc
from privy.wallet.v1.amount_pb2 import Amount

TIMEOUT_S = 5.0


def main() -> None:
    with (
        grpc.insecure_channel(os.environ["TRANSACTION_TARGET"]) as transaction_channel,
        grpc.insecure_channel(os.environ["WALLET_TARGET"]) as wallet_channel,
    ):
        front = transaction_pb2_grpc.TransactionServiceStub(transaction_channel)
        wallets = wallet_pb2_grpc.WalletServiceStub(wallet_channel)
        wallet_id = open_wallet(wallets)
        top_up(front, wallet_id)
        sign(front, wallet_id, documents=3)
        sign(front, wallet_id, documents=30)
        print_balances(wallets, wallet_id)


def open_wallet(wallets: wallet_pb2_grpc.WalletServiceStub) -> str:
    wallet = wallet_pb2.Wallet(type=wallet_pb2.WALLET_TYPE_PERSONAL, display_name="A first wallet")
    request = wallet_pb2.CreateWalletRequest(request_id=new_request_id(), wallet=wallet)
    opened = wallets.CreateWallet(request, timeout=TIMEOUT_S).wallet
    print(f"opened {opened.wallet_id}")
    return opened.wallet_id


def top_up(front: transaction_pb2_grpc.TransactionServiceStub, wallet_id: str) -> None:
    request = transaction_pb2.TopUpRequest(
        request_id=new_request_id(),
        wallet_id=wallet_id,
        amount=Amount(asset_code="IDR", minor_units=5_000_000),  # Rp 50,000.00
    )
    transaction = front.TopUp(request, timeout=TIMEOUT_S).transaction
    print(f"topped it up by {transaction.transaction_id}")


def sign(
    front: transaction_pb2_grpc.TransactionServiceStub, wallet_id: str, documents: int
) -> None:
    """Pay for signatures; say why, if they are refused."""
    request = transaction_pb2.RecordUsageRequest(
        request_id=new_request_id(),
        wallet_id=wallet_id,
        product_code="ESIGN_DOCUMENT",
        quantity=documents,
    )
    try:
        transaction = front.RecordUsage(request, timeout=TIMEOUT_S).transaction
    except grpc.RpcError as error:
        reason, figures = why(error)
        print(f"{documents} documents are refused: {reason}, {figures}")
    else:
        print(f"{documents} documents cost {transaction.amount.minor_units} IDR (minor units)")


def why(error: grpc.RpcError) -> tuple[str, dict[str, str]]:
    """Read the stable reason and its figures; an error without them did not reach the service."""
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        detail.Unpack(info)
    if not info.reason:
        raise error
    return info.reason, dict(sorted(info.metadata.items()))


def print_balances(wallets: wallet_pb2_grpc.WalletServiceStub, wallet_id: str) -> None:
    request = wallet_pb2.GetBalancesRequest(wallet_id=wallet_id)
    for balance in wallets.GetBalances(request, timeout=TIMEOUT_S).balances:
        print(f"{balance.available_minor} {balance.asset_code} (minor units) are left")


def new_request_id() -> str:
    """Make an id for one request. Retries of the request keep it: that makes them harmless."""
    return uuid.uuid4().hex


if __name__ == "__main__":
    main()
