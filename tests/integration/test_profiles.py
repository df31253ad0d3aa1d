"""What wallets are, read from a Wallet over gRPC and kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
import pytest
from privy.wallet.v1 import wallet_pb2

from shared.rpc_client import open_channel
from shared.telemetry import NoMetrics
from transaction_service import profiles
from transaction_service.domain import Node, Profile
from transaction_service.profiles import Profiles
from transaction_service.wallet_client import WalletClient

UPPER = wallet_pb2.PathNode(
    wallet_id="wal_1", type=wallet_pb2.WALLET_TYPE_ENTERPRISE, role="ENTERPRISE"
)


@dataclass
class Wallets:
    """Shops of an enterprise, by id; what was asked for, call by call."""

    versions: dict[str, int] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)

    async def batch_get(
        self,
        request: wallet_pb2.BatchGetWalletsRequest,
        context: "grpc.aio.ServicerContext[object, object]",  # noqa: ARG002
    ) -> wallet_pb2.BatchGetWalletsResponse:
        self.asked.append(list(request.wallet_ids))
        found = [self._shop(each) for each in request.wallet_ids if each in self.versions]
        return wallet_pb2.BatchGetWalletsResponse(wallets=found)

    def _shop(self, wallet_id: str) -> wallet_pb2.Wallet:
        shop = wallet_pb2.Wallet(
            wallet_id=wallet_id,
            type=wallet_pb2.WALLET_TYPE_ENTERPRISE,
            version=self.versions[wallet_id],
            path=[UPPER],
        )
        shop.attributes["role"] = "MERCHANT"
        return shop


@asynccontextmanager
async def reading(wallets: Wallets) -> AsyncIterator[Profiles]:
    """Serve `wallets`, and read them as the front door does."""
    server = grpc.aio.server()
    batch_get = grpc.unary_unary_rpc_method_handler(
        wallets.batch_get,
        request_deserializer=wallet_pb2.BatchGetWalletsRequest.FromString,
        response_serializer=wallet_pb2.BatchGetWalletsResponse.SerializeToString,
    )
    service = wallet_pb2.DESCRIPTOR.services_by_name["WalletService"].full_name
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service, {"BatchGetWallets": batch_get})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with open_channel(f"127.0.0.1:{port}", 5) as channel:
        yield Profiles(WalletClient(channel, NoMetrics()).profiles)
    await server.stop(None)


async def test_a_wallet_is_read_once_and_kept() -> None:
    """With its path, which ends with itself in the role that its attributes say."""
    wallets = Wallets({"wal_2": 5})
    async with reading(wallets) as read:
        answers = [await read.of("wal_2") for _ in range(3)]
    nodes = Node("wal_1", "ENTERPRISE", "ENTERPRISE"), Node("wal_2", "ENTERPRISE", "MERCHANT")
    assert answers == [Profile("wal_2", "ENTERPRISE", 5, nodes)] * 3
    assert wallets.asked == [["wal_2"]]


async def test_what_is_missed_at_the_same_time_travels_together() -> None:
    """Fifty callers that miss ten wallets make one call, each wallet in it once."""
    wallets = Wallets({f"wal_{number}": 1 for number in range(10)})
    async with reading(wallets) as read:
        answers = await asyncio.gather(*(read.of(f"wal_{number % 10}") for number in range(50)))
    assert [each.wallet_id for each in answers] == [f"wal_{number % 10}" for number in range(50)]
    assert wallets.asked == [[f"wal_{number}" for number in range(10)]]


async def test_a_wallet_that_does_not_exist_is_asked_for_again() -> None:
    """It has no path, and is not kept: it may come to exist."""
    wallets = Wallets()
    async with reading(wallets) as read:
        assert await read.of("wal_9") == Profile("wal_9", "", 0, ())
        wallets.versions["wal_9"] = 1
        assert (await read.of("wal_9")).version == 1


async def test_only_what_is_out_of_date_is_forgotten() -> None:
    """Who finds a profile stale has it read again, unless somebody else had already."""
    wallets = Wallets({"wal_2": 1})
    async with reading(wallets) as read:
        stale = await read.of("wal_2")
        wallets.versions["wal_2"] = 2
        for _ in range(2):
            read.forget(stale)
            assert (await read.of("wal_2")).version == 2
    assert len(wallets.asked) == 2


async def test_those_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two, the one not used the longest is read again."""
    monkeypatch.setattr(profiles, "MAX_KEPT", 2)
    wallets = Wallets({"wal_1": 1, "wal_2": 1, "wal_3": 1})
    async with reading(wallets) as read:
        for wallet_id in ("wal_1", "wal_2", "wal_1", "wal_3", "wal_1", "wal_2"):
            await read.of(wallet_id)
    assert wallets.asked == [["wal_1"], ["wal_2"], ["wal_3"], ["wal_2"]]
