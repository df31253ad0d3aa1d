"""What the load asks for: messages that the services can read, each request id used once."""

from typing import Any

import pytest
from google.protobuf.message import Message
from privy.transaction.v1 import transaction_pb2 as pb

from bench.load.connection import Answer, Call
from bench.load.headers import Ending, request_headers
from bench.load.traffic import BATCH_SIZE, KINDS, SERVICE, Batches, Mixed, Traffic

AUTHORITY = "127.0.0.1:50051"
WALLETS = [f"wal_{number}" for number in range(998, 1003)]
MESSAGES: dict[str, type[Message]] = {
    "RecordUsage": pb.RecordUsageRequest,
    "BookUsage": pb.BookUsageRequest,
    "CommitUsage": pb.CommitUsageRequest,
    "CancelUsage": pb.CancelUsageRequest,
    "TopUp": pb.TopUpRequest,
    "Transfer": pb.TransferRequest,
    "VoidTransaction": pb.VoidTransactionRequest,
    "ExecuteBatch": pb.ExecuteBatchRequest,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_action_has_a_request_id_of_its_own(kind: str) -> None:
    """Also those of two runs: a repeated id would get an old answer, and cost nothing."""
    runs = [KINDS[kind].make(AUTHORITY, WALLETS) for _ in range(2)]
    ids = [each for run in runs for _ in range(200) for each in request_ids(request_of(run.call()))]
    assert len(set(ids)) == len(ids) == 400 * KINDS[kind].actions_per_call
    assert {len(each) for each in ids} == {20}


def test_uniform_traffic_is_on_all_wallets_and_hot_traffic_on_one() -> None:
    uniform, hot = (wallets_of(KINDS[kind].make(AUTHORITY, WALLETS)) for kind in ("uniform", "hot"))
    assert uniform == set(WALLETS)
    assert hot == {WALLETS[0]}


def test_mixed_traffic_asks_for_every_action_and_follows_its_bookings() -> None:
    """A booking is committed or cancelled once; a usage voided once."""
    mixed = Mixed(AUTHORITY, WALLETS)
    calls = [answered_call(mixed, number) for number in range(5_000)]
    assert {name_of(each) for each in calls} == MESSAGES.keys() - {"ExecuteBatch"}
    followed = [
        request.booking_id if name != "VoidTransaction" else request.transaction_id
        for name, request in ((name_of(each), request_of(each)) for each in calls)
        if name in {"CommitUsage", "CancelUsage", "VoidTransaction"}
    ]
    assert len(set(followed)) == len(followed)


def test_a_batch_counts_the_actions_that_were_accepted() -> None:
    """An item may be refused in an answer that is OK."""
    batches = Batches(AUTHORITY, WALLETS)
    assert len(request_ids(request_of(batches.call()))) == BATCH_SIZE
    answer = pb.ExecuteBatchResponse()
    answer.results.add().transaction.transaction_id = "txn_1"
    answer.results.add().error.code = 9
    assert batches.accepted(answer_to(batches.call(), answer)) == 1


def answered_call(traffic: Traffic, number: int) -> Call:
    """Make a call, and give it an answer with ids by its number."""
    call = traffic.call()
    done = pb.Transaction(transaction_id=f"txn_{number}", booking_id=f"bok_{number}")
    traffic.accepted(answer_to(call, pb.RecordUsageResponse(transaction=done)))
    return call


def answer_to(call: Call, message: Message) -> Answer:
    return Answer(call, Ending("OK"), message.SerializeToString(), due_at=0, seconds=0)


def name_of(call: Call) -> str:
    (name,) = (
        each for each in MESSAGES if call.headers == request_headers(AUTHORITY, path_of(each))
    )
    return name


def path_of(name: str) -> str:
    return f"/{SERVICE}/{name}"


def request_of(call: Call) -> Any:
    return MESSAGES[name_of(call)].FromString(call.message)


def request_ids(request: Any) -> list[str]:
    if isinstance(request, pb.ExecuteBatchRequest):
        return [each.record_usage.request_id for each in request.items]
    return [request.request_id]


def wallets_of(traffic: Traffic) -> set[str]:
    calls = (request_of(traffic.call()) for _ in range(200))
    return {each.wallet_id for each in calls}
