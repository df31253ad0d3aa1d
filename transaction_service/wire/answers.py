"""Answers out to the callers."""

from collections.abc import Sequence

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


def transaction_out(booked: ledger_pb2.Transaction) -> transaction_pb2.Transaction:
    """Show a ledger transaction as the action that it was."""
    wallets = [entry for entry in booked.entries if entry.wallet_id]
    return transaction_pb2.Transaction(
        transaction_id=booked.transaction_id,
        booking_id=booked.booking_id,
        kind=booked.kind,
        state=booked.state,
        wallet_id=booked.wallet_id,
        target_wallet_id=_target(booked),
        amount=moved(booked),
        price_book_version=booked.price_book_version,
        charges=booked.charges,
        balances_after=[
            transaction_pb2.WalletBalance(wallet_id=entry.wallet_id, balance=entry.balance_after)
            for entry in wallets
        ],
        create_time=booked.create_time,
        effective_time=booked.effective_time,
        request_id=booked.request_id,
        reference=booked.reference,
        metadata=booked.metadata,
        voids_transaction_id=booked.voids_transaction_id,
        voided_minor=booked.voided_minor,
        expire_time=booked.expire_time if booked.HasField("expire_time") else None,
    )


def _target(booked: ledger_pb2.Transaction) -> str:
    if booked.kind not in _WITH_TARGET:
        return ""
    others = (entry.wallet_id for entry in booked.entries if entry.wallet_id)
    return next((each for each in others if each != booked.wallet_id), "")


def batch_out(
    answers: Sequence[ledger_pb2.Transaction | DomainError],
) -> transaction_pb2.ExecuteBatchResponse:
    return transaction_pb2.ExecuteBatchResponse(results=[_result_out(each) for each in answers])


def _result_out(answer: ledger_pb2.Transaction | DomainError) -> transaction_pb2.BatchResult:
    if isinstance(answer, DomainError):
        return transaction_pb2.BatchResult(error=status_of(answer))
    return transaction_pb2.BatchResult(transaction=transaction_out(answer))


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
