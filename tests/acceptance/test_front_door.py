"""The front door as callers meet it, with every process real."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from privy.transaction.v1 import transaction_pb2 as pb
from privy.wallet.v1 import amount_pb2, ledger_pb2

from tests.acceptance.clients import (
    PRICE_MINOR,
    TIMEOUT_S,
    Caller,
    caller,
    failure_of,
    idr,
    new_id,
)

INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND


@pytest.fixture
async def client(environment: Mapping[str, str]) -> AsyncIterator[Caller]:
    async with caller(environment) as connected:
        yield connected


async def test_duplicates_at_once_have_one_effect_and_one_answer(client: Caller) -> None:
    """A hundred callers with one request id get the same transaction, and money moves once."""
    wallet_id, request_id = await client.wallet(), new_id()
    answers = await asyncio.gather(*(client.top_up(wallet_id, 700, request_id) for _ in range(100)))
    assert all(answer == answers[0] for answer in answers)
    assert (await client.balance(wallet_id)).posted_minor == 700


async def test_a_wallet_is_never_overspent(client: Caller) -> None:
    """Of 200 usages at once on funds for 150, exactly 150 succeed and 50 are told why not."""
    wallet_id = await client.wallet(150 * PRICE_MINOR)
    answers = await asyncio.gather(
        *(client.use(wallet_id) for _ in range(200)), return_exceptions=True
    )
    refused = [failure_of(each) for each in answers if isinstance(each, grpc.aio.AioRpcError)]
    assert len(answers) - len(refused) == 150
    for failure in refused:
        assert failure.code is grpc.StatusCode.FAILED_PRECONDITION
        assert failure.reason == "INSUFFICIENT_FUNDS"
        assert int(failure.metadata["available_minor"]) < int(failure.metadata["needed_minor"])
    assert (await client.balance(wallet_id)).available_minor == 0


async def test_a_booking_lives_its_life(client: Caller) -> None:
    """Booked, committed in parts, cancelled: held money, states and balances follow."""
    wallet_id = await client.wallet(100 * PRICE_MINOR)
    front = client.transactions
    booking = (
        await front.BookUsage(
            pb.BookUsageRequest(
                request_id=new_id(), wallet_id=wallet_id, product_code="API_CALL", quantity=10
            ),
            timeout=TIMEOUT_S,
        )
    ).transaction
    assert booking.state == ledger_pb2.TRANSACTION_STATE_PENDING
    assert (await client.balance(wallet_id)).held_minor == 10 * PRICE_MINOR
    for quantity in (3, 2):
        request = pb.CommitUsageRequest(
            request_id=new_id(), booking_id=booking.booking_id, quantity=quantity
        )
        await front.CommitUsage(request, timeout=TIMEOUT_S)
    cancel = pb.CancelUsageRequest(request_id=new_id(), booking_id=booking.booking_id)
    await front.CancelUsage(cancel, timeout=TIMEOUT_S)
    balance = await client.balance(wallet_id)
    assert (balance.posted_minor, balance.held_minor) == (95 * PRICE_MINOR, 0)
    listing = pb.ListTransactionsRequest(wallet_id=wallet_id, booking_id=booking.booking_id)
    listed = (await front.ListTransactions(listing, timeout=TIMEOUT_S)).transactions
    assert [ledger_pb2.TransactionKind.Name(each.kind)[17:] for each in listed] == [
        "CANCELLATION", "COMMIT", "COMMIT", "BOOKING",
    ]  # fmt: skip
    assert listed[-1].state == ledger_pb2.TRANSACTION_STATE_POSTED


async def test_a_quote_has_no_effect(client: Caller) -> None:
    """A quote says the price and whether the wallet could pay it, and nothing moves."""
    wallet_id = await client.wallet(PRICE_MINOR)
    for quantity, sufficient in ((1, True), (2, False)):
        request = pb.QuoteUsageRequest(
            wallet_id=wallet_id, product_code="API_CALL", quantity=quantity
        )
        quote = await client.transactions.QuoteUsage(request, timeout=TIMEOUT_S)
        assert quote.total == idr(quantity * PRICE_MINOR)
        assert quote.sufficient_funds is sufficient
    assert (await client.balance(wallet_id)).available_minor == PRICE_MINOR


Bad = Callable[[Caller, str], Awaitable[object]]


def top_up(**fields: object) -> Bad:
    return lambda client, wallet_id: client.transactions.TopUp(
        pb.TopUpRequest(
            **{"request_id": new_id(), "wallet_id": wallet_id, "amount": idr(1)} | fields  # type: ignore[arg-type]
        ),
        timeout=TIMEOUT_S,
    )


def usage(**fields: object) -> Bad:
    parts = {"product_code": "API_CALL", "quantity": 1}
    return lambda client, wallet_id: client.transactions.RecordUsage(
        pb.RecordUsageRequest(
            **{"request_id": new_id(), "wallet_id": wallet_id} | parts | fields  # type: ignore[arg-type]
        ),
        timeout=TIMEOUT_S,
    )


def transfer(target: str | None) -> Bad:
    return lambda client, wallet_id: client.transactions.Transfer(
        pb.TransferRequest(
            request_id=new_id(),
            source_wallet_id=wallet_id,
            target_wallet_id=wallet_id if target is None else target,
            amount=idr(1),
        ),
        timeout=TIMEOUT_S,
    )


def commit(**fields: object) -> Bad:
    parts = {"booking_id": "bkg_1", "quantity": 1}
    return lambda client, _: client.transactions.CommitUsage(
        pb.CommitUsageRequest(**{"request_id": new_id()} | parts | fields),  # type: ignore[arg-type]
        timeout=TIMEOUT_S,
    )


MINOR, ASSET = "amount.minor_units", "amount.asset_code"
TOO_MANY_NOTES = {str(number): "" for number in range(33)}
UNKNOWN_ASSET = amount_pb2.Amount(asset_code="NOPE", minor_units=1)

BAD_INPUT = [
    (top_up(amount=idr(0)), INVALID, "FIELD_INVALID", [MINOR]),
    (top_up(amount=idr(-5)), INVALID, "FIELD_INVALID", [MINOR]),
    (top_up(amount=idr(2**63 - 1)), INVALID, "FIELD_INVALID", [MINOR]),
    (top_up(amount=UNKNOWN_ASSET), INVALID, "ASSET_UNKNOWN", [ASSET]),
    (top_up(amount=None), INVALID, "FIELD_INVALID", [ASSET, MINOR]),
    (top_up(request_id=""), INVALID, "FIELD_INVALID", ["request_id"]),
    (top_up(request_id="x" * 65), INVALID, "FIELD_INVALID", ["request_id"]),
    (top_up(request_id="a\0b"), INVALID, "FIELD_INVALID", ["request_id"]),
    (top_up(reference="x" * 129), INVALID, "FIELD_INVALID", ["reference"]),
    (top_up(metadata={"k": "x" * 513}), INVALID, "FIELD_INVALID", ["metadata.k"]),
    (top_up(metadata={"k": "a\0b"}), INVALID, "FIELD_INVALID", ["metadata.k"]),
    (top_up(metadata=TOO_MANY_NOTES), INVALID, "FIELD_INVALID", ["metadata"]),
    (top_up(effective_time={"seconds": 1 << 60}), INVALID, "FIELD_INVALID", ["effective_time"]),
    (top_up(wallet_id=""), INVALID, "FIELD_INVALID", ["wallet_id"]),
    (top_up(wallet_id="wal_999999999"), NOT_FOUND, "WALLET_NOT_FOUND", []),
    (top_up(wallet_id="never existed"), NOT_FOUND, "WALLET_NOT_FOUND", []),
    (usage(quantity=0), INVALID, "FIELD_INVALID", ["quantity"]),
    (usage(quantity=-1), INVALID, "FIELD_INVALID", ["quantity"]),
    (usage(quantity=2**63 - 1), INVALID, "FIELD_INVALID", ["quantity"]),
    (usage(product_code="NOPE"), INVALID, "PRODUCT_UNKNOWN", ["product_code"]),
    (usage(wallet_id="wal_999999999"), NOT_FOUND, "WALLET_NOT_FOUND", []),
    (transfer(None), INVALID, "FIELD_INVALID", ["target_wallet_id"]),
    (transfer("wal_999999999"), NOT_FOUND, "WALLET_NOT_FOUND", []),
    (commit(), NOT_FOUND, "BOOKING_NOT_FOUND", []),
    (commit(booking_id="txn_1"), NOT_FOUND, "BOOKING_NOT_FOUND", []),
    (commit(booking_id=""), INVALID, "FIELD_INVALID", ["booking_id"]),
    (commit(quantity=0), INVALID, "FIELD_INVALID", ["quantity"]),
]  # fmt: skip


async def test_bad_input_is_named_and_moves_nothing(client: Caller) -> None:
    """Each bad request gets its code, its reason and the fields at fault; funds stay."""
    wallet_id = await client.wallet(77)
    for number, (call, code, reason, fields) in enumerate(BAD_INPUT):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call(client, wallet_id)
        failure = failure_of(raised.value)
        assert (number, failure.code, failure.reason) == (number, code, reason)
        assert (number, list(failure.fields)) == (number, fields)
        assert failure.domain == "transaction-wallet"
    assert (await client.balance(wallet_id)).available_minor == 77


async def test_a_request_id_with_another_body_is_refused(client: Caller) -> None:
    """ALREADY_EXISTS, whether the other body is another amount or another action."""
    wallet_id, request_id = await client.wallet(), new_id()
    await client.top_up(wallet_id, PRICE_MINOR, request_id)
    for other in (
        client.top_up(wallet_id, 6, request_id),
        client.use(wallet_id, request_id=request_id),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await other
        failure = failure_of(raised.value)
        assert failure.code is grpc.StatusCode.ALREADY_EXISTS
        assert failure.reason == "REQUEST_ID_REUSED"
    assert (await client.balance(wallet_id)).available_minor == PRICE_MINOR


async def test_validation_alone_writes_nothing(client: Caller) -> None:
    """validate_only runs every check, funds included, and leaves no trace of the request id."""
    wallet_id, request_id = await client.wallet(PRICE_MINOR), new_id()

    async def validate(quantity: int) -> pb.Transaction:
        request = pb.RecordUsageRequest(
            request_id=request_id, wallet_id=wallet_id, product_code="API_CALL",
            quantity=quantity, validate_only=True,
        )  # fmt: skip
        return (await client.transactions.RecordUsage(request, timeout=TIMEOUT_S)).transaction

    assert (await validate(1)).transaction_id == ""
    with pytest.raises(grpc.aio.AioRpcError, match="is needed"):
        await validate(2)
    assert (await client.balance(wallet_id)).available_minor == PRICE_MINOR
    assert (await client.use(wallet_id, request_id=request_id)).transaction_id


async def test_a_trace_context_that_is_none_is_passed_over(client: Caller) -> None:
    """A caller's broken header costs neither its call nor those that travel with it."""
    wallet_id = await client.wallet()
    request = pb.TopUpRequest(request_id=new_id(), wallet_id=wallet_id, amount=idr(1))
    metadata = (("traceparent", "x" * 500),)
    await client.transactions.TopUp(request, timeout=TIMEOUT_S, metadata=metadata)
    assert (await client.balance(wallet_id)).posted_minor == 1


async def test_a_malformed_plan_is_refused_alone(client: Caller) -> None:
    """In one PostBatch, the sound plan is posted and the malformed one names its field."""
    wallet_id = await client.wallet()
    sound = ledger_pb2.Plan(
        request_id=new_id(),
        body_digest=bytes(16),
        kind=ledger_pb2.TRANSACTION_KIND_TOP_UP,
        wallet_id=wallet_id,
        legs=[
            ledger_pb2.Leg(
                account_type=ledger_pb2.ACCOUNT_TYPE_FUNDING, asset_code="IDR", amount_minor=9
            ),
            ledger_pb2.Leg(
                wallet_id=wallet_id,
                account_type=ledger_pb2.ACCOUNT_TYPE_WALLET,
                asset_code="IDR",
                amount_minor=-9,
            ),
        ],
    )
    request = ledger_pb2.PostBatchRequest(plans=[ledger_pb2.Plan(), sound])
    answer = await client.ledger.PostBatch(request, timeout=TIMEOUT_S)
    malformed, posted = answer.results
    assert (malformed.refusal.code, malformed.refusal.field) == (3, "plans[0].body_digest")
    assert posted.transaction.transaction_id
    assert (await client.balance(wallet_id)).posted_minor == 9


async def test_undecodable_bytes_are_the_callers_fault(client: Caller) -> None:
    """Garbage instead of a message is INVALID_ARGUMENT, and nothing of our insides leaks."""
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = client.channel.unary_unary(
        "/privy.transaction.v1.TransactionService/TopUp"
    )
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call(b"\xff\xff\xff", timeout=TIMEOUT_S)
    failure = failure_of(raised.value)
    assert (failure.code, failure.fields) == (INVALID, ("request",))


async def test_reflection_lists_the_services(client: Caller) -> None:
    """A generic client can find out what is served."""
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    stub = reflection_pb2_grpc.ServerReflectionStub(client.channel)
    async for answer in stub.ServerReflectionInfo(iter([request]), timeout=TIMEOUT_S):
        names = {each.name for each in answer.list_services_response.service}
    assert {"privy.transaction.v1.TransactionService", "grpc.health.v1.Health"} <= names
