"""Answers out to the callers."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from privy.transaction.v1 import transaction_pb2
from privy.wallet.v1 import ledger_pb2, wallet_pb2

from shared.errors import DomainError
from shared.rpc_status import status_of
from transaction_service.domain import Quoted
from transaction_service.wire.charges import amount_out, charge_out
from transaction_service.wire.wallet import moved

_WITH_TARGET = frozenset(
    {
        ledger_pb2.TRANSACTION_KIND_TRANSFER,
        ledger_pb2.TRANSACTION_KIND_ASSIGNMENT,
        ledger_pb2.TRANSACTION_KIND_UNASSIGNMENT,
    }
)


class WithTransaction(Protocol):
    """An answer that shows a transaction."""

    @property
    def transaction(self) -> transaction_pb2.Transaction: ...


Answer = TypeVar("Answer", bound=WithTransaction)


def with_transaction(answer: Answer, booked: ledger_pb2.Transaction) -> Answer:
    """Fill an answer with a ledger transaction, shown as the action that it was."""
    show(answer.transaction, booked)
    return answer


def show(shown: transaction_pb2.Transaction, booked: ledger_pb2.Transaction) -> None:
    """Show a ledger transaction as the action that it was, in place: a copy costs as much again."""
    shown.transaction_id = booked.transaction_id
    shown.booking_id = booked.booking_id
    shown.kind = booked.kind
    shown.state = booked.state
    shown.wallet_id = booked.wallet_id
    shown.price_book_version = booked.price_book_version
    shown.charges.MergeFrom(booked.charges)
    shown.create_time.CopyFrom(booked.create_time)
    shown.effective_time.CopyFrom(booked.effective_time)
    shown.request_id = booked.request_id
    shown.reference = booked.reference
    shown.voids_transaction_id = booked.voids_transaction_id
    shown.voided_minor = booked.voided_minor
    shown.amount.CopyFrom(moved(booked))
    for entry in booked.entries:
        if wallet_id := entry.wallet_id:
            after = shown.balances_after.add(wallet_id=wallet_id)
            after.balance.CopyFrom(entry.balance_after)
    if booked.kind in _WITH_TARGET:
        shown.target_wallet_id = _target(booked)
    if booked.metadata:
        shown.metadata.update(booked.metadata)
    if booked.HasField("expire_time"):
        shown.expire_time.CopyFrom(booked.expire_time)


def _target(booked: ledger_pb2.Transaction) -> str:
    others = (entry.wallet_id for entry in booked.entries if entry.wallet_id)
    return next((each for each in others if each != booked.wallet_id), "")


def batch_out(
    answers: Sequence[ledger_pb2.Transaction | DomainError],
) -> transaction_pb2.ExecuteBatchResponse:
    response = transaction_pb2.ExecuteBatchResponse()
    for answer in answers:
        result = response.results.add()
        if isinstance(answer, DomainError):
            result.error.CopyFrom(status_of(answer))
        else:
            show(result.transaction, answer)
    return response


def quote_out(quoted: Quoted, balance: wallet_pb2.Balance) -> transaction_pb2.QuoteUsageResponse:
    message = transaction_pb2.QuoteUsageResponse(
        charges=[charge_out(quoted.charge)],
        total=amount_out(quoted.charge.price),
        price_book_version=quoted.price_book_version,
        balance=balance,
        sufficient_funds=quoted.sufficient_funds,
        quote_id=quoted.quote_id,
    )
    message.expire_time.FromDatetime(quoted.expires_at)
    return message
