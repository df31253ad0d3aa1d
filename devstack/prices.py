"""The prices of a stack: those of the examples, unless there are others."""

import sys
from pathlib import Path

import grpc
from privy.transaction.v1 import price_book_pb2, price_book_pb2_grpc

from devstack.children import Children, Command
from shared.rpc_client import open_channel

EXAMPLE = Path(__file__).parents[1] / "examples" / "price_book.toml"

_TIMEOUT_S = 5.0


async def publish_prices(children: Children, transaction_target: str) -> None:
    """Publish the example, which holds at once, unless a price book is in force."""
    if await _any_in_force(transaction_target):
        return
    command = (sys.executable, "-m", "walletctl", "prices", "publish", str(EXAMPLE))
    await children.run(Command("prices", command, {"TRANSACTION_TARGET": transaction_target}))


async def _any_in_force(transaction_target: str) -> bool:
    async with open_channel(transaction_target, _TIMEOUT_S) as channel:
        books = price_book_pb2_grpc.PriceBookServiceStub(channel)
        try:
            await books.GetPriceBook(price_book_pb2.GetPriceBookRequest())
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return False
            raise
    return True
