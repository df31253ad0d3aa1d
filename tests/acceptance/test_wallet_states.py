"""Freezing, closing and crediting wallets, as operators do it."""

import asyncio
from collections.abc import Mapping

import grpc
import pytest
from privy.wallet.v1 import wallet_pb2 as pb

from tests.acceptance.clients import PRICE_MINOR, TIMEOUT_S, Caller, caller, failure_of, new_id


async def freeze(client: Caller, wallet_id: str) -> pb.Wallet:
    request = pb.FreezeWalletRequest(request_id=new_id(), wallet_id=wallet_id)
    return (await client.wallets.FreezeWallet(request, timeout=TIMEOUT_S)).wallet


async def unfreeze(client: Caller, wallet_id: str) -> pb.Wallet:
    request = pb.UnfreezeWalletRequest(request_id=new_id(), wallet_id=wallet_id)
    return (await client.wallets.UnfreezeWallet(request, timeout=TIMEOUT_S)).wallet


async def close(client: Caller, wallet_id: str) -> pb.Wallet:
    request = pb.CloseWalletRequest(request_id=new_id(), wallet_id=wallet_id)
    return (await client.wallets.CloseWallet(request, timeout=TIMEOUT_S)).wallet


async def set_credit_limit(
    client: Caller, wallet_id: str, minor: int, asset: str = "IDR", *, validate_only: bool = False
) -> None:
    request = pb.SetCreditLimitRequest(
        request_id=new_id(),
        wallet_id=wallet_id,
        asset_code=asset,
        credit_limit_minor=minor,
        validate_only=validate_only,
    )
    await client.wallets.SetCreditLimit(request, timeout=TIMEOUT_S)


async def test_a_frozen_wallet_takes_and_does_not_give(environment: Mapping[str, str]) -> None:
    """Frozen: top-ups yes, usage no; unfrozen: usage again. The version counts the changes."""
    async with caller(environment) as client:
        wallet_id = await client.wallet(PRICE_MINOR)
        assert (await freeze(client, wallet_id)).state == pb.WALLET_STATE_FROZEN
        await client.top_up(wallet_id, PRICE_MINOR)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await client.use(wallet_id)
        assert failure_of(raised.value).reason == "WALLET_FROZEN"
        assert (await unfreeze(client, wallet_id)).version == 3
        await client.use(wallet_id, 2)


async def test_only_an_empty_wallet_is_closed_and_for_good(environment: Mapping[str, str]) -> None:
    """Closing needs a zero balance; after it nothing is booked and nothing is reopened."""
    async with caller(environment) as client:
        wallet_id = await client.wallet(PRICE_MINOR)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await close(client, wallet_id)
        assert failure_of(raised.value).reason == "WALLET_NOT_EMPTY"
        await client.use(wallet_id)
        assert (await close(client, wallet_id)).state == pb.WALLET_STATE_CLOSED
        for refused in (client.top_up(wallet_id, 1), unfreeze(client, wallet_id)):
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await refused
            assert failure_of(raised.value).reason == "WALLET_CLOSED"


async def test_closing_and_topping_up_at_once_never_leave_money_behind(
    environment: Mapping[str, str],
) -> None:
    """Of a closing and a first top-up that race, one is refused: no closed wallet holds money."""
    async with caller(environment) as client:
        wallets = [await client.wallet() for _ in range(20)]
        work = [
            each for wallet in wallets for each in (close(client, wallet), client.top_up(wallet, 1))
        ]
        answers = await asyncio.gather(*work, return_exceptions=True)
        reasons = {
            failure_of(each).reason for each in answers if isinstance(each, grpc.aio.AioRpcError)
        }
        assert reasons <= {"WALLET_CLOSED", "WALLET_NOT_EMPTY"}
        for wallet_id, closed, topped_up in zip(wallets, answers[::2], answers[1::2], strict=True):
            assert isinstance(closed, grpc.aio.AioRpcError) != isinstance(
                topped_up, grpc.aio.AioRpcError
            )
            balance = await client.balance(wallet_id)
            assert balance.posted_minor == int(isinstance(closed, grpc.aio.AioRpcError))


async def test_credit_is_spent_to_its_limit(environment: Mapping[str, str]) -> None:
    """A wallet goes below zero as far as its limit, which cannot be cut below what is used."""
    async with caller(environment) as client:
        wallet_id = await client.wallet()
        await set_credit_limit(client, wallet_id, 2 * PRICE_MINOR)
        usage = await client.use(wallet_id, 2)
        assert usage.balances_after[0].balance.available_minor == 0
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await client.use(wallet_id)
        assert failure_of(raised.value).reason == "INSUFFICIENT_FUNDS"
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await set_credit_limit(client, wallet_id, PRICE_MINOR)
        assert failure_of(raised.value).reason == "CREDIT_LIMIT_IN_USE"
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await set_credit_limit(client, wallet_id, 1, asset="NOPE")
        assert failure_of(raised.value).fields == ("asset_code",)
        await client.top_up(wallet_id, 3 * PRICE_MINOR)
        balance = await client.balance(wallet_id)
        assert (balance.posted_minor, balance.available_minor) == (PRICE_MINOR, 3 * PRICE_MINOR)


async def test_a_credit_limit_can_be_validated_alone(environment: Mapping[str, str]) -> None:
    """validate_only runs the check against what is used, and leaves not even an account."""
    async with caller(environment) as client:
        wallet_id = await client.wallet()
        await set_credit_limit(client, wallet_id, PRICE_MINOR, validate_only=True)
        request = pb.GetBalancesRequest(wallet_id=wallet_id)
        assert not (await client.wallets.GetBalances(request, timeout=TIMEOUT_S)).balances
        await set_credit_limit(client, wallet_id, PRICE_MINOR)
        await client.use(wallet_id)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await set_credit_limit(client, wallet_id, 0, validate_only=True)
        assert failure_of(raised.value).reason == "CREDIT_LIMIT_IN_USE"
