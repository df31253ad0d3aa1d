"""`ExecuteBatch` as its callers meet it, with every process real, on both engines."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from privy.transaction.v1 import transaction_pb2 as pb

from tests.acceptance.clients import (
    PRICE_MINOR,
    TIMEOUT_S,
    Caller,
    caller,
    failure_of,
    idr,
    new_id,
)

INDEPENDENT, ALL_OR_NOTHING = pb.BATCH_MODE_INDEPENDENT, pb.BATCH_MODE_ALL_OR_NOTHING
BOTH_MODES = pytest.mark.parametrize("mode", [INDEPENDENT, ALL_OR_NOTHING])


@pytest.fixture
async def client(environment: Mapping[str, str]) -> AsyncIterator[Caller]:
    async with caller(environment) as connected:
        yield connected


def top_up(wallet_id: str, minor: int, **fields: Any) -> pb.BatchItem:
    request: dict[str, Any] = {"request_id": new_id(), "wallet_id": wallet_id, "amount": idr(minor)}
    return pb.BatchItem(top_up=pb.TopUpRequest(**request | fields))


def usage(wallet_id: str, quantity: int = 1, **fields: Any) -> pb.BatchItem:
    request: dict[str, Any] = {"request_id": new_id(), "wallet_id": wallet_id}
    request |= {"product_code": "API_CALL", "quantity": quantity}
    return pb.BatchItem(record_usage=pb.RecordUsageRequest(**request | fields))


def booking(wallet_id: str, quantity: int = 1) -> pb.BatchItem:
    request = pb.BookUsageRequest(
        request_id=new_id(), wallet_id=wallet_id, product_code="API_CALL", quantity=quantity
    )
    return pb.BatchItem(book_usage=request)


def commit(booking_id: str, quantity: int = 1) -> pb.BatchItem:
    request = pb.CommitUsageRequest(request_id=new_id(), booking_id=booking_id, quantity=quantity)
    return pb.BatchItem(commit_usage=request)


def cancel(booking_id: str) -> pb.BatchItem:
    request = pb.CancelUsageRequest(request_id=new_id(), booking_id=booking_id)
    return pb.BatchItem(cancel_usage=request)


def transfer(source: str, target: str, minor: int) -> pb.BatchItem:
    request = pb.TransferRequest(
        request_id=new_id(), source_wallet_id=source, target_wallet_id=target, amount=idr(minor)
    )
    return pb.BatchItem(transfer=request)


def void(transaction_id: str) -> pb.BatchItem:
    request = pb.VoidTransactionRequest(request_id=new_id(), transaction_id=transaction_id)
    return pb.BatchItem(void_transaction=request)


async def execute(
    client: Caller, mode: "pb.BatchMode.ValueType", items: Sequence[pb.BatchItem], **fields: bool
) -> list[pb.BatchResult]:
    request = pb.ExecuteBatchRequest(items=items, mode=mode, **fields)
    return list((await client.transactions.ExecuteBatch(request, timeout=TIMEOUT_S)).results)


@dataclass(frozen=True, slots=True)
class Refused:
    """An item's error as its caller reads it."""

    code: int
    reason: str
    metadata: Mapping[str, str]
    fields: tuple[str, ...]


def refused(result: pb.BatchResult) -> Refused:
    assert result.WhichOneof("outcome") == "error"
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in result.error.details:
        detail.Unpack(info)
        detail.Unpack(bad_request)
    fields = tuple(each.field for each in bad_request.field_violations)
    return Refused(result.error.code, info.reason, dict(info.metadata), fields)


def outcomes(results: Sequence[pb.BatchResult]) -> list[str]:
    return [
        "OK" if each.HasField("transaction") else refused(each).reason for each in results
    ]  # fmt: skip


@BOTH_MODES
async def test_every_kind_of_action_is_done_in_order(
    client: Caller, mode: "pb.BatchMode.ValueType"
) -> None:
    """Each item sees those before it; answers stand in the order of the items, as asked alone."""
    payer, other = await client.wallet(), await client.wallet()
    first = await execute(
        client,
        mode,
        [top_up(payer, 10 * PRICE_MINOR), booking(payer, 4), booking(payer), usage(payer, 2)],
    )
    held, dropped = (each.transaction.booking_id for each in first[1:3])
    items = [
        commit(held, 1),
        commit(held, 2),
        cancel(dropped),
        transfer(payer, other, PRICE_MINOR),
        void(first[3].transaction.transaction_id),
        usage(other),
    ]
    second = await execute(client, mode, items)
    assert outcomes([*first, *second]) == ["OK"] * 10
    ids = [each.transaction.transaction_id for each in (*first, *second)]
    assert ids == sorted(ids, key=lambda each: int(each.removeprefix("txn_")))
    assert [each.transaction.request_id for each in second] == [
        getattr(item, str(item.WhichOneof("action"))).request_id for item in items
    ]
    balance = await client.balance(payer)
    assert (balance.posted_minor, balance.held_minor) == (6 * PRICE_MINOR, PRICE_MINOR)
    assert (await client.balance(other)).posted_minor == 0


@BOTH_MODES
async def test_a_batch_sent_again_is_answered_as_at_first(
    client: Caller, mode: "pb.BatchMode.ValueType"
) -> None:
    """Also at the same time; money moves once, and each item may be sent alone too."""
    wallet_id = await client.wallet(50 * PRICE_MINOR)
    items = [usage(wallet_id, quantity) for quantity in (1, 2, 3)]
    items.append(usage(wallet_id, request_id=items[0].record_usage.request_id))
    answers = await asyncio.gather(*(execute(client, mode, items) for _ in range(20)))
    assert all(each == answers[0] for each in answers)
    assert outcomes(answers[0]) == ["OK"] * 4
    assert answers[0][3] == answers[0][0]
    alone = await client.transactions.RecordUsage(items[1].record_usage, timeout=TIMEOUT_S)
    assert alone.transaction == answers[0][1].transaction
    assert (await client.balance(wallet_id)).posted_minor == 44 * PRICE_MINOR


async def test_independent_items_are_refused_as_they_would_be_alone(client: Caller) -> None:
    """Each has its code, reason and figures, or its field at fault; the others are done."""
    wallet_id = await client.wallet(PRICE_MINOR)
    taken = await client.top_up(wallet_id, 1)
    bad = [
        (usage(wallet_id, 2), grpc.StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_FUNDS", ()),
        (usage(wallet_id, 0), grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID", ("quantity",)),
        (
            usage(wallet_id, product_code="NOPE"),
            grpc.StatusCode.INVALID_ARGUMENT,
            "PRODUCT_UNKNOWN",
            ("product_code",),
        ),
        (usage("wal_999999999"), grpc.StatusCode.NOT_FOUND, "WALLET_NOT_FOUND", ()),
        (commit("bkg_1"), grpc.StatusCode.NOT_FOUND, "BOOKING_NOT_FOUND", ()),
        (pb.BatchItem(), grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID", ("action",)),
        (
            top_up(wallet_id, 7, request_id=taken.request_id),
            grpc.StatusCode.ALREADY_EXISTS,
            "REQUEST_ID_REUSED",
            (),
        ),
    ]
    items = [each for item, *_ in bad for each in (item, top_up(wallet_id, 1))]
    results = await execute(client, INDEPENDENT, items)
    assert outcomes(results[1::2]) == ["OK"] * len(bad)
    for (_, code, reason, fields), result in zip(bad, results[::2], strict=True):
        found = refused(result)
        assert (found.code, found.reason, found.fields) == (code.value[0], reason, fields)
    assert refused(results[0]).metadata["needed_minor"] == str(2 * PRICE_MINOR)
    assert (await client.balance(wallet_id)).posted_minor == PRICE_MINOR + 1 + len(bad)


REFUSALS: Mapping[str, Callable[[str], pb.BatchItem]] = {
    "by the ledger": lambda wallet_id: usage(wallet_id, 1_000_000),
    "by its price": lambda wallet_id: usage(wallet_id, product_code="NOPE"),
    "by what it is about": lambda _: commit("bkg_1"),
    "by its form": lambda wallet_id: usage(wallet_id, -1),
}


@pytest.mark.parametrize("how", REFUSALS)
async def test_of_all_or_nothing_nothing_is_done_if_one_is_refused(
    client: Caller, how: str
) -> None:
    """The one at fault has its own error, the others name it; sent again, the same is told."""
    wallet_id = await client.wallet(5 * PRICE_MINOR)
    culprit = REFUSALS[how](wallet_id)
    items = [usage(wallet_id), culprit, usage(wallet_id)]
    first = await execute(client, ALL_OR_NOTHING, items)
    assert await execute(client, ALL_OR_NOTHING, items) == first
    at_fault = refused(first[1])
    assert at_fault.reason not in {"GROUP_REFUSED", "REQUEST_UNKNOWN"}
    asked = getattr(culprit, str(culprit.WhichOneof("action")))
    for each in (first[0], first[2]):
        assert refused(each).reason == "GROUP_REFUSED"
        assert refused(each).metadata == {
            "request_id": asked.request_id,
            "group_reason": at_fault.reason,
        }
    assert (await client.balance(wallet_id)).posted_minor == 5 * PRICE_MINOR


async def test_what_was_done_before_keeps_its_answer_in_a_refused_batch(client: Caller) -> None:
    """An item that was accepted alone is answered as then, though its batch is refused."""
    wallet_id = await client.wallet(5 * PRICE_MINOR)
    done = usage(wallet_id)
    alone = await client.transactions.RecordUsage(done.record_usage, timeout=TIMEOUT_S)
    items = [done, usage(wallet_id, 1_000_000), usage(wallet_id)]
    results = await execute(client, ALL_OR_NOTHING, items)
    assert outcomes(results) == ["OK", "INSUFFICIENT_FUNDS", "GROUP_REFUSED"]
    assert results[0].transaction == alone.transaction
    assert (await client.balance(wallet_id)).posted_minor == 4 * PRICE_MINOR


@BOTH_MODES
async def test_validation_of_a_batch_writes_nothing(
    client: Caller, mode: "pb.BatchMode.ValueType"
) -> None:
    """Every item is checked against the books as they stand, and its request id stays free."""
    wallet_id = await client.wallet(PRICE_MINOR)
    items = [usage(wallet_id), usage(wallet_id)]
    results = await execute(client, mode, items, validate_only=True)
    assert outcomes(results) == ["OK", "OK"]
    assert {each.transaction.transaction_id for each in results} == {""}
    assert (await client.balance(wallet_id)).posted_minor == PRICE_MINOR
    done = await execute(client, INDEPENDENT, items)
    assert outcomes(done) == ["OK", "INSUFFICIENT_FUNDS"]


@BOTH_MODES
async def test_a_thousand_items_over_many_wallets(
    client: Caller, mode: "pb.BatchMode.ValueType"
) -> None:
    """The largest batch is one, and two at once over the same wallets in other orders both end."""
    wallets = [await client.wallet(40 * PRICE_MINOR) for _ in range(25)]
    batches = [[usage(each) for each in order * 40] for order in (wallets, wallets[::-1])]
    for batch in batches:
        del batch[500 if mode == INDEPENDENT else 1000 :]
    results = await asyncio.gather(*(execute(client, mode, batch) for batch in batches))
    done = sorted(outcomes(each).count("OK") for each in results)
    assert done == ([500, 500] if mode == INDEPENDENT else [0, 1000])
    assert {(await client.balance(each)).posted_minor for each in wallets} == {0}


@pytest.mark.parametrize(
    ("count", "mode", "fields"),
    [
        (0, INDEPENDENT, ("items",)),
        (1001, ALL_OR_NOTHING, ("items",)),
        (1, pb.BATCH_MODE_UNSPECIFIED, ("mode",)),
        (0, 7, ("items", "mode")),
    ],
)
async def test_a_batch_out_of_bounds_is_refused_as_a_whole(
    client: Caller, count: int, mode: "pb.BatchMode.ValueType", fields: tuple[str, ...]
) -> None:
    """Every field at fault is named at once."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await execute(client, mode, [top_up("wal_1", 1)] * count)
    failure = failure_of(raised.value)
    assert (failure.code, failure.fields) == (grpc.StatusCode.INVALID_ARGUMENT, fields)
