"""What callers ask: requests in, checked values out."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from privy.transaction.v1 import enterprise_pb2, transaction_pb2
from privy.wallet.v1 import amount_pb2, lot_pb2
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.errors import FieldViolation, InvalidArgument, invalid
from shared.fields import moment_of
from shared.idempotency import body_digest
from shared.telemetry import current_traceparent
from transaction_service.domain import (
    Action,
    Batch,
    BookUsage,
    CancelUsage,
    CommitUsage,
    ExtendBalance,
    Item,
    MoveBalance,
    Quote,
    TopUp,
    Transfer,
    Usage,
    VoidTransaction,
)

_LOT_KINDS: Mapping[int, str] = {
    number: name.removeprefix("LOT_KIND_") for name, number in lot_pb2.LotKind.items()
}

_WORDS: Mapping[str, str] = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be a known value",
    "string_too_long": "must be at most {max_length} characters",
    "too_long": "must be at most {max_length}",
}

MAX_ITEMS = 1_000
_MODES = frozenset(
    {transaction_pb2.BATCH_MODE_INDEPENDENT, transaction_pb2.BATCH_MODE_ALL_OR_NOTHING}
)

Checked = TypeVar("Checked", bound=BaseModel)


def top_up_of(message: transaction_pb2.TopUpRequest) -> TopUp:
    parts = {
        "wallet_id": message.wallet_id,
        "amount": _parts(message.amount),
        "lot": _lot_parts(message.lot) if message.HasField("lot") else None,
    }
    return _checked(TopUp, _common(message) | parts)


def _lot_parts(lot: lot_pb2.LotTerms) -> dict[str, Any]:
    return {
        "kind": _LOT_KINDS.get(lot.kind, ""),
        "priority": lot.priority,
        "expires_at": moment_of(lot, "expire_time", "lot"),
    }


def usage_of(message: transaction_pb2.RecordUsageRequest) -> Usage:
    quote = {"quote_id": message.quote_id}
    return _checked(Usage, _common(message) | _usage_parts(message) | quote)


def booked_usage_of(message: transaction_pb2.BookUsageRequest) -> BookUsage:
    terms = {"expires_at": moment_of(message, "expire_time"), "quote_id": message.quote_id}
    return _checked(BookUsage, _common(message) | _usage_parts(message) | terms)


def commit_of(message: transaction_pb2.CommitUsageRequest) -> CommitUsage:
    parts = {"booking_id": message.booking_id, "quantity": message.quantity}
    return _checked(CommitUsage, _common(message) | parts)


def cancel_of(message: transaction_pb2.CancelUsageRequest) -> CancelUsage:
    return _checked(CancelUsage, _common(message) | {"booking_id": message.booking_id})


def void_of(message: transaction_pb2.VoidTransactionRequest) -> VoidTransaction:
    parts = {
        "transaction_id": message.transaction_id,
        "amount": _parts(message.amount) if message.HasField("amount") else None,
    }
    return _checked(VoidTransaction, _common(message) | parts)


def transfer_of(message: transaction_pb2.TransferRequest) -> Transfer:
    parts = {
        "source_wallet_id": message.source_wallet_id,
        "target_wallet_id": message.target_wallet_id,
        "amount": _parts(message.amount),
    }
    return _checked(Transfer, _common(message) | parts)


_ACTIONS: Mapping[str, Callable[[Any], Action]] = {
    "top_up": top_up_of,
    "book_usage": booked_usage_of,
    "commit_usage": commit_of,
    "cancel_usage": cancel_of,
    "record_usage": usage_of,
    "transfer": transfer_of,
    "void_transaction": void_of,
}


def batch_of(message: transaction_pb2.ExecuteBatchRequest) -> Batch:
    """Read a batch. An item that is malformed is so alone."""
    faults = []
    if not 1 <= len(message.items) <= MAX_ITEMS:
        faults.append(FieldViolation("items", f"must be 1 to {MAX_ITEMS}"))
    if message.mode not in _MODES:
        faults.append(FieldViolation("mode", "must be a known value"))
    if faults:
        raise InvalidArgument("FIELD_INVALID", *faults)
    items = tuple(_item_of(each, message.validate_only) for each in message.items)
    return Batch(items, together=message.mode == transaction_pb2.BATCH_MODE_ALL_OR_NOTHING)


def _item_of(item: transaction_pb2.BatchItem, validate_only: bool) -> Item:  # noqa: FBT001
    name = item.WhichOneof("action")
    if name is None:
        return Item("", invalid("action", "is required"))
    asked = getattr(item, name)
    if validate_only:
        asked.validate_only = True
    try:
        return Item(asked.request_id, _ACTIONS[name](asked))
    except InvalidArgument as refusal:
        return Item(asked.request_id, refusal)


def assignment_of(message: enterprise_pb2.AssignBalanceRequest) -> MoveBalance:
    return _checked(MoveBalance, _common(message) | _move_parts(message))


def unassignment_of(message: enterprise_pb2.UnassignBalanceRequest) -> MoveBalance:
    return _checked(MoveBalance, _common(message) | _move_parts(message))


def add_on_of(message: enterprise_pb2.AddOnBalanceRequest) -> TopUp:
    """Read an add-on: a top-up on terms."""
    lot = {
        "kind": "ADD_ON",
        "priority": message.priority,
        "expires_at": moment_of(message, "expire_time"),
    }
    parts = {"wallet_id": message.wallet_id, "amount": _parts(message.amount), "lot": lot}
    return _checked(TopUp, _common(message) | parts, {"lot.priority": "priority"})


def extension_of(message: enterprise_pb2.ExtendBalanceRequest) -> ExtendBalance:
    parts = {
        "wallet_id": message.wallet_id,
        "lot_id": message.lot_id,
        "asset_code": message.asset_code,
        "expires_at": moment_of(message, "expire_time"),
    }
    return _checked(ExtendBalance, _common(message) | parts, {"expires_at": "expire_time"})


def _move_parts(message: Any) -> dict[str, Any]:
    return {
        "wallet_id": message.wallet_id,
        "target_wallet_id": message.target_wallet_id,
        "amount": _parts(message.amount),
        "wallet_version": message.wallet_version,
    }


def quote_of(message: transaction_pb2.QuoteUsageRequest) -> Quote:
    return _checked(Quote, _usage_parts(message))


def _common(message: Any) -> dict[str, Any]:
    return {
        "request_id": message.request_id,
        "reference": message.reference,
        "effective_at": moment_of(message, "effective_time"),
        "metadata": dict(message.metadata),
        "validate_only": message.validate_only,
        "body_digest": body_digest(message),
        "traceparent": current_traceparent.get(),
    }


def _usage_parts(message: Any) -> dict[str, Any]:
    return {
        "wallet_id": message.wallet_id,
        "product_code": message.product_code,
        "quantity": message.quantity,
    }


def _parts(amount: amount_pb2.Amount) -> dict[str, Any]:
    return {"asset_code": amount.asset_code, "minor_units": amount.minor_units}


def _checked(
    kind: type[Checked], parts: dict[str, Any], names: Mapping[str, str] = MappingProxyType({})
) -> Checked:
    """Build a checked value, or name every field at fault.

    `names` are the message's fields, by the value's path, where they differ.
    """
    try:
        return kind.model_validate(parts)
    except ValidationError as error:
        violations = [
            FieldViolation(_field(kind, fault["loc"], names), _words(fault))
            for fault in error.errors(include_url=False)
        ]
        raise InvalidArgument("FIELD_INVALID", *violations) from None


def _words(fault: ErrorDetails) -> str:
    """Say what is wrong in the words that the Wallet uses too."""
    if fault["type"] in {"string_too_short", "datetime_type"} and not fault["input"]:
        return "is required"
    words = _WORDS.get(fault["type"])
    return words.format(**fault.get("ctx", {})) if words else fault["msg"]


def _field(kind: type[BaseModel], place: tuple[int | str, ...], names: Mapping[str, str]) -> str:
    path = ".".join(str(part) for part in place if part != "[key]")
    return names.get(path, path) or ("target_wallet_id" if kind is Transfer else "request")
