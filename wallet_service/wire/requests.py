"""Requests about wallets and about the books, as values of the domain, checked field by field."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from privy.wallet.v1 import ledger_pb2, wallet_pb2

from shared.enums import enum_names
from shared.errors import invalid
from shared.fields import checked_text, moment_of
from shared.idempotency import body_digest, digest
from wallet_service import ids
from wallet_service.decide.plan import MAX_AMOUNT_MINOR
from wallet_service.errors import wallet_not_found
from wallet_service.once import Request
from wallet_service.store.balances import Bound
from wallet_service.store.entries import FIRST_ID, LAST_ID, EntryFilter, Stretch
from wallet_service.wire.fields import (
    KINDS,
    MAX_CODE,
    MAX_REFERENCE,
    MAX_REQUEST_ID,
    metadata_json,
)

Mutation: TypeAlias = (
    wallet_pb2.CreateWalletRequest
    | wallet_pb2.UpdateWalletRequest
    | wallet_pb2.MoveWalletRequest
    | wallet_pb2.FreezeWalletRequest
    | wallet_pb2.UnfreezeWalletRequest
    | wallet_pb2.CloseWalletRequest
    | wallet_pb2.SetCreditLimitRequest
    | ledger_pb2.CloseAccountingPeriodRequest
)

MAX_TRANSACTIONS = 1000

_KNOWN_KINDS = {name for number, name in KINDS.items() if number}
_BASES = enum_names(wallet_pb2.TimeBasis, "TIME_BASIS_")


def request_of(message: Mutation) -> Request:
    return Request(
        request_id=checked_text(message.request_id, "request_id", 1, MAX_REQUEST_ID),
        request_digest=digest(message.request_id.encode()),
        body_digest=body_digest(message),
        validate_only=message.validate_only,
    )


def credit_limit_of(message: wallet_pb2.SetCreditLimitRequest) -> tuple[str, int]:
    """Read the asset and the limit."""
    if not 0 <= message.credit_limit_minor <= MAX_AMOUNT_MINOR:
        raise invalid("credit_limit_minor", f"must be 0 to {MAX_AMOUNT_MINOR}")
    return checked_text(message.asset_code, "asset_code", 1, MAX_CODE), message.credit_limit_minor


def wallet_id_of(text: str) -> int:
    """Read a required `wallet_id`. Raises `NotFound` for what no wallet was ever called."""
    wallet_id = ids.wallet_number(checked_text(text, "wallet_id", 1, MAX_REQUEST_ID))
    if wallet_id == ids.NEVER_ASSIGNED:
        raise wallet_not_found(text).as_error()
    return wallet_id


def transaction_ids_of(transaction_ids: Sequence[str]) -> list[int]:
    """Read the field `transaction_ids`; one that is malformed names no transaction."""
    if len(transaction_ids) > MAX_TRANSACTIONS:
        raise invalid("transaction_ids", f"must be at most {MAX_TRANSACTIONS}")
    return [ids.transaction_number(each) for each in transaction_ids]


def bound_of(
    message: wallet_pb2.GetBalancesRequest | ledger_pb2.GetTrialBalanceRequest,
) -> Bound | None:
    """Read `as_of_time`, up to and including which everything counts; None for now."""
    by_effective_time = _is_effective(message.time_basis)
    as_of = moment_of(message, "as_of_time")
    return Bound(ids.instant_after(as_of), by_effective_time) if as_of else None


def stretch_of(message: wallet_pb2.GetStatementRequest) -> Stretch:
    wallet_id = wallet_id_of(message.wallet_id)
    asset_code = checked_text(message.asset_code, "asset_code", 1, MAX_CODE)
    start = _required(moment_of(message, "start_time"), "start_time")
    end = _required(moment_of(message, "end_time"), "end_time")
    if start >= end:
        raise invalid("end_time", "must be after start_time")
    return Stretch(wallet_id, asset_code, start, end, _is_effective(message.time_basis))


def entry_filter_of(message: wallet_pb2.ListEntriesRequest) -> EntryFilter:
    start, end = moment_of(message, "start_time"), moment_of(message, "end_time")
    if message.kind and message.kind not in _KNOWN_KINDS:
        raise invalid("kind", "must be a known value")
    return EntryFilter(
        wallet_id=wallet_id_of(message.wallet_id),
        asset_code=asset_filter_of(message),
        first_id=ids.first_id_from(start) if start else FIRST_ID,
        end_id=ids.first_id_from(end) if end else LAST_ID,
        kind=message.kind,
        reference=checked_text(message.reference, "reference", 0, MAX_REFERENCE),
        metadata_json=metadata_json(message.metadata, "metadata"),
    )


def asset_filter_of(message: wallet_pb2.ListEntriesRequest | wallet_pb2.ListLotsRequest) -> str:
    return checked_text(message.asset_code, "asset_code", 0, MAX_CODE)


def period_end_of(message: ledger_pb2.CloseAccountingPeriodRequest) -> datetime:
    return _required(moment_of(message, "end_time"), "end_time")


def _is_effective(basis: int) -> bool:
    if basis not in _BASES:
        raise invalid("time_basis", "must be a known value")
    return basis == wallet_pb2.TIME_BASIS_EFFECTIVE


def _required(moment: datetime | None, field: str) -> datetime:
    if moment is None:
        raise invalid(field, "is required")
    return moment
