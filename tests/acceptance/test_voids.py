"""Taking transactions back, as callers do it."""

import asyncio

import grpc
import pytest
from privy.transaction.v1 import transaction_pb2 as pb
from privy.wallet.v1 import ledger_pb2

from devstack.stack import Stack
from tests.acceptance.clients import (
    PRICE_MINOR,
    TIMEOUT_S,
    Caller,
    caller,
    failure_of,
    idr,
    new_id,
)


async def void(
    client: Caller, transaction_id: str, minor: int = 0, request_id: str = ""
) -> pb.Transaction:
    request = pb.VoidTransactionRequest(
        request_id=request_id or new_id(),
        transaction_id=transaction_id,
        amount=idr(minor) if minor else None,
    )
    return (await client.transactions.VoidTransaction(request, timeout=TIMEOUT_S)).transaction


async def state_of(client: Caller, transaction_id: str) -> tuple[str, int]:
    request = pb.GetTransactionRequest(transaction_id=transaction_id)
    found = (await client.transactions.GetTransaction(request, timeout=TIMEOUT_S)).transaction
    return ledger_pb2.TransactionState.Name(found.state)[18:], found.voided_minor


async def test_a_usage_is_taken_back_in_parts(stack: Stack) -> None:
    """Parts add up to the whole and no further; each is a balanced transaction of its own."""
    async with caller(stack.environment) as client:
        wallet_id = await client.wallet(10 * PRICE_MINOR)
        usage = await client.use(wallet_id, 3)
        first = await void(client, usage.transaction_id, PRICE_MINOR)
        assert first.voids_transaction_id == usage.transaction_id
        assert await state_of(client, usage.transaction_id) == ("POSTED", PRICE_MINOR)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await void(client, usage.transaction_id, 2 * PRICE_MINOR + 1)
        failure = failure_of(raised.value)
        assert failure.reason == "VOID_EXCEEDED"
        assert failure.metadata["remaining_minor"] == str(2 * PRICE_MINOR)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await void(client, usage.transaction_id, 10**17)
        assert failure_of(raised.value).reason == "VOID_EXCEEDED"
        await void(client, usage.transaction_id)
        assert await state_of(client, usage.transaction_id) == ("VOIDED", 3 * PRICE_MINOR)
        assert (await client.balance(wallet_id)).available_minor == 10 * PRICE_MINOR


async def test_many_at_once_void_no_more_than_there_is(stack: Stack) -> None:
    """Twenty callers void 100 each of 1,000: ten succeed, and a repeated one gets its answer."""
    async with caller(stack.environment) as client:
        wallet_id = await client.wallet()
        top_up = await client.top_up(wallet_id, 1000)

        async def some(request_id: str) -> str:
            while True:
                try:
                    return (
                        await void(client, top_up.transaction_id, 100, request_id)
                    ).transaction_id
                except grpc.aio.AioRpcError as error:
                    if error.code() is not grpc.StatusCode.ABORTED:
                        return failure_of(error).reason

        ids = [new_id() for _ in range(20)]
        answers = await asyncio.gather(*map(some, ids))
        assert sum(answer == "VOID_EXCEEDED" for answer in answers) == 10
        assert await asyncio.gather(*map(some, ids)) == answers
        assert (await client.balance(wallet_id)).posted_minor == 0


async def test_what_cannot_be_taken_back_says_why(stack: Stack) -> None:
    """Unknown, never moved, itself a void, already spent: each has its reason."""
    async with caller(stack.environment) as client:
        wallet_id = await client.wallet()
        top_up = await client.top_up(wallet_id, 2 * PRICE_MINOR)
        usage = await client.use(wallet_id)
        request = pb.BookUsageRequest(
            request_id=new_id(), wallet_id=wallet_id, product_code="API_CALL", quantity=1
        )
        booking = (await client.transactions.BookUsage(request, timeout=TIMEOUT_S)).transaction
        expected = [
            ("txn_1", "TRANSACTION_NOT_FOUND"),
            (booking.transaction_id, "TRANSACTION_NOT_VOIDABLE"),
            (top_up.transaction_id, "INSUFFICIENT_FUNDS"),
        ]
        voided = await void(client, usage.transaction_id)
        expected.append((voided.transaction_id, "TRANSACTION_NOT_VOIDABLE"))
        for transaction_id, reason in expected:
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await void(client, transaction_id)
            assert failure_of(raised.value).reason == reason
