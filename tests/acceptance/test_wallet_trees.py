"""Trees of wallets as callers build, read and change them."""

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct
from privy.wallet.v1 import wallet_pb2 as pb

from devstack.stack import Stack
from tests.acceptance.clients import TIMEOUT_S, Caller, caller, failure_of, new_id


async def create(client: Caller, wallet: pb.Wallet) -> pb.Wallet:
    request = pb.CreateWalletRequest(request_id=new_id(), wallet=wallet)
    return (await client.wallets.CreateWallet(request, timeout=TIMEOUT_S)).wallet


def node(role: str, parent: str = "") -> pb.Wallet:
    return pb.Wallet(
        type=pb.WALLET_TYPE_ENTERPRISE,
        display_name=role,
        parent_wallet_id=parent,
        attributes=ParseDict({"role": role}, Struct()),
    )


async def test_an_enterprise_is_built_read_and_moved(stack: Stack) -> None:
    """A channel keeps its place through every answer, until its merchant goes elsewhere."""
    async with caller(stack.environment) as client:
        top = await create(client, node("ENTERPRISE"))
        merchant = await create(client, node("MERCHANT", top.wallet_id))
        channel = await create(client, node("CHANNEL", merchant.wallet_id))
        assert [each.role for each in channel.path] == ["ENTERPRISE", "MERCHANT"]
        wanted = pb.BatchGetWalletsRequest(wallet_ids=[channel.wallet_id, "wal_1", "nothing"])
        answer = await client.wallets.BatchGetWallets(wanted, timeout=TIMEOUT_S)
        assert list(answer.wallets) == [channel]
        move = pb.MoveWalletRequest(request_id=new_id(), wallet_id=merchant.wallet_id, version=1)
        moved = (await client.wallets.MoveWallet(move, timeout=TIMEOUT_S)).wallet
        assert (moved.version, moved.parent_wallet_id, list(moved.path)) == (2, "", [])
        got = await client.wallets.GetWallet(
            pb.GetWalletRequest(wallet_id=channel.wallet_id), timeout=TIMEOUT_S
        )
        assert [each.wallet_id for each in got.wallet.path] == [merchant.wallet_id]


async def test_faults_of_a_wallet_are_named_by_their_paths(stack: Stack) -> None:
    """Attributes and policy tell every fault at once; what is refused has its reason."""
    async with caller(stack.environment) as client:
        limits = [pb.SpendingLimit(asset_code="IDR", limit_minor=-1)]
        wallet = node("NOBODY")
        wallet.policy.CopyFrom(pb.SpendingPolicy(limits=limits, time_zone="Mars"))
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await create(client, wallet)
        assert failure_of(raised.value).fields == (
            "wallet.attributes.role",
            "wallet.policy.limits[0].limit_minor",
            "wallet.policy.limits[0].period",
            "wallet.policy.time_zone",
        )
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await create(client, node("CHANNEL", await client.wallet()))
        assert failure_of(raised.value).reason == "PARENT_UNFIT"


async def test_a_policy_is_set_and_replaced(stack: Stack) -> None:
    """The answer has the new policy under a new version, and the attributes as they were."""
    async with caller(stack.environment) as client:
        made = await create(client, node("ENTERPRISE"))
        policy = pb.SpendingPolicy(
            funding_source=pb.FUNDING_SOURCE_OWN_THEN_ANCESTORS,
            limits=[
                pb.SpendingLimit(
                    asset_code="IDR", limit_minor=9, period=pb.LIMIT_PERIOD_WEEK, product_code="X"
                )
            ],
            time_zone="Asia/Jakarta",
        )
        request = pb.UpdateWalletRequest(
            request_id=new_id(), wallet_id=made.wallet_id, version=1, policy=policy
        )
        for _ in range(2):
            wallet = (await client.wallets.UpdateWallet(request, timeout=TIMEOUT_S)).wallet
            assert (wallet.policy, wallet.version) == (policy, 2)
            assert wallet.attributes == made.attributes
