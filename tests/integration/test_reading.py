"""Reading transactions: several in one call, and as much of them as is asked."""

from collections.abc import Sequence

import grpc
import pytest
from privy.wallet.v1 import ledger_pb2

from tests import asks
from tests.acceptance.clients import failure_of, new_id
from tests.asks import NEVER, PLAIN
from tests.wallet_calls import TIMEOUT_S, WalletCalls, plan_of


async def read(
    calls: WalletCalls, transaction_ids: Sequence[str]
) -> Sequence[ledger_pb2.Transaction]:
    request = ledger_pb2.BatchGetTransactionsRequest(transaction_ids=transaction_ids)
    return (await calls.ledger.BatchGetTransactions(request, timeout=TIMEOUT_S)).transactions


async def test_several_transactions_are_read_in_the_order_that_was_asked(
    wallet_processes: Sequence[WalletCalls],
) -> None:
    """Twice, if they are asked for twice; what does not exist leaves its place empty."""
    calls = wallet_processes[0]
    wallet = await calls.create_wallet()
    tops = [asks.top_up(new_id(), wallet, "IDR", minor, PLAIN) for minor in (1, 2)]
    posted = await calls.post([plan_of(each, {}) for each in tops])
    first, second = (each.transaction for each in posted)
    booking = plan_of(asks.booking(new_id(), wallet, "IDR", 3, NEVER), {})
    (booked,) = await calls.post([booking])

    asked = [second.transaction_id, "txn_1", "", first.transaction_id]
    assert list(await read(calls, asked)) == [second, *2 * [ledger_pb2.Transaction()], first]
    by_booking = await read(calls, 2 * [booked.transaction.booking_id])
    assert list(by_booking) == 2 * [booked.transaction]
    assert list(await read(calls, [])) == []


async def test_more_than_a_thousand_are_refused(wallet_processes: Sequence[WalletCalls]) -> None:
    """By the field's name; nothing is read."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await read(wallet_processes[0], 1001 * ["txn_1"])
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert failure_of(raised.value).fields == ("transaction_ids",)


async def test_who_asks_for_wallets_alone_hears_nothing_of_the_house(
    wallet_processes: Sequence[WalletCalls],
) -> None:
    """The rest of the answer is the same, the first time and when it is repeated."""
    calls = wallet_processes[0]
    wallet = await calls.create_wallet()
    plan = plan_of(asks.top_up(new_id(), wallet, "IDR", 5, PLAIN), {})
    (whole,) = await calls.post([plan])
    request = ledger_pb2.PostBatchRequest(plans=[plan], view=ledger_pb2.TRANSACTION_VIEW_WALLETS)
    (part,) = (await calls.ledger.PostBatch(request, timeout=TIMEOUT_S)).results

    assert [each.wallet_id for each in whole.transaction.entries] == ["", wallet]
    assert list(part.transaction.entries) == list(whole.transaction.entries)[1:]
    del whole.transaction.entries[:], part.transaction.entries[:]
    assert part == whole
