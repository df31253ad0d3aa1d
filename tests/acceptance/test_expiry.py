"""Bookings that expire, as callers meet them."""

import asyncio
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from privy.transaction.v1 import transaction_pb2 as pb
from privy.wallet.v1 import ledger_pb2

from devstack.stack import Stack
from tests.acceptance.clients import PRICE_MINOR, TIMEOUT_S, Caller, caller, failure_of, new_id


async def book(client: Caller, wallet_id: str, after: timedelta) -> pb.Transaction:
    request = pb.BookUsageRequest(
        request_id=new_id(), wallet_id=wallet_id, product_code="API_CALL", quantity=3
    )
    request.expire_time.FromDatetime(datetime.now(UTC) + after)
    return (await client.transactions.BookUsage(request, timeout=TIMEOUT_S)).transaction


async def test_an_expired_booking_sets_its_money_free(stack: Stack) -> None:
    """What is left is free within seconds, cannot be taken any more, and the books say why."""
    async with caller(stack.environment) as client:
        wallet_id = await client.wallet(3 * PRICE_MINOR)
        booking = await book(client, wallet_id, timedelta(seconds=1))
        commit = pb.CommitUsageRequest(
            request_id=new_id(), booking_id=booking.booking_id, quantity=1
        )
        await client.transactions.CommitUsage(commit, timeout=TIMEOUT_S)
        async with asyncio.timeout(TIMEOUT_S):
            while (await client.balance(wallet_id)).held_minor:  # noqa: ASYNC110 (the Wallet sweeps)
                await asyncio.sleep(0.05)
        assert (await client.balance(wallet_id)).available_minor == 2 * PRICE_MINOR
        commit.request_id = new_id()
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await client.transactions.CommitUsage(commit, timeout=TIMEOUT_S)
        assert failure_of(raised.value).reason in {"BOOKING_CLOSED", "BOOKING_EXPIRED"}
        listing = pb.ListTransactionsRequest(wallet_id=wallet_id, booking_id=booking.booking_id)
        listed = (
            await client.transactions.ListTransactions(listing, timeout=TIMEOUT_S)
        ).transactions
        assert [ledger_pb2.TransactionKind.Name(each.kind)[17:] for each in listed] == [
            "EXPIRATION", "COMMIT", "BOOKING",
        ]  # fmt: skip


async def test_an_untouched_booking_ends_expired(stack: Stack) -> None:
    """Its state tells it from one that was cancelled."""
    async with caller(stack.environment) as client:
        wallet_id = await client.wallet(3 * PRICE_MINOR)
        booking = await book(client, wallet_id, timedelta(milliseconds=300))
        request = pb.GetTransactionRequest(transaction_id=booking.booking_id)
        state = ledger_pb2.TRANSACTION_STATE_PENDING
        async with asyncio.timeout(TIMEOUT_S):
            while state == ledger_pb2.TRANSACTION_STATE_PENDING:
                found = await client.transactions.GetTransaction(request, timeout=TIMEOUT_S)
                state = found.transaction.state
        assert state == ledger_pb2.TRANSACTION_STATE_EXPIRED


async def test_a_time_that_has_passed_is_refused(stack: Stack) -> None:
    """A booking cannot be born expired."""
    async with caller(stack.environment) as client:
        wallet_id = await client.wallet(3 * PRICE_MINOR)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await book(client, wallet_id, -timedelta(seconds=1))
        assert failure_of(raised.value).fields == ("expire_time",)
