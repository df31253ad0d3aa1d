"""Proto ⇄ domain, for the callers' side and the Wallet's."""

from collections.abc import Mapping
from typing import Any, TypeVar

from privy.erp.v1 import event_pb2
from privy.transaction.v1 import transaction_pb2
from privy.wallet.v1 import amount_pb2, ledger_pb2, lot_pb2, wallet_pb2
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.errors import FieldViolation, InvalidArgument
from shared.fields import moment_of
from shared.idempotency import body_digest
from shared.telemetry import current_traceparent
from transaction_service.domain import (
    Action,
    Amount,
    Booking,
    CancelUsage,
    CaptureHold,
    Charge,
    CommitUsage,
    Leg,
    OpenHold,
    Original,
    Plan,
    Quote,
    ReleaseHold,
    TopUp,
    Transfer,
    Usage,
    VoidTransaction,
)

Checked = TypeVar("Checked", bound=BaseModel)

_LINE_TYPES: "Mapping[str, event_pb2.LineType.ValueType]" = {
    "WALLET": event_pb2.LINE_TYPE_DEFERRED_REVENUE,
    "FUNDING": event_pb2.LINE_TYPE_FUNDING,
    "REVENUE": event_pb2.LINE_TYPE_REVENUE,
    "VENDOR_COST": event_pb2.LINE_TYPE_COST,
    "VENDOR_PAYABLE": event_pb2.LINE_TYPE_VENDOR_PAYABLE,
    "BREAKAGE": event_pb2.LINE_TYPE_BREAKAGE,
}

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


# Requests in.


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
    return _checked(Usage, _common(message) | _usage_parts(message))


def booked_usage_of(message: transaction_pb2.BookUsageRequest) -> Usage:
    expiry = {"expires_at": moment_of(message, "expire_time")}
    return _checked(Usage, _common(message) | _usage_parts(message) | expiry)


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


def _checked(kind: type[Checked], parts: dict[str, Any]) -> Checked:
    """Build a checked value, or name every field at fault."""
    try:
        return kind.model_validate(parts)
    except ValidationError as error:
        violations = [
            FieldViolation(_field(kind, fault["loc"]), _words(fault))
            for fault in error.errors(include_url=False)
        ]
        raise InvalidArgument("FIELD_INVALID", *violations) from None


def _words(fault: ErrorDetails) -> str:
    """Say what is wrong in the words that the Wallet uses too."""
    if fault["type"] == "string_too_short" and not fault["input"]:
        return "is required"
    words = _WORDS.get(fault["type"])
    return words.format(**fault.get("ctx", {})) if words else fault["msg"]


def _field(kind: type[BaseModel], place: tuple[int | str, ...]) -> str:
    path = ".".join(str(part) for part in place if part != "[key]")
    return path or ("target_wallet_id" if kind is Transfer else "request")


# Plans out to the Wallet.


def plan_out(action: Action, plan: Plan) -> ledger_pb2.Plan:
    """Build the Wallet's plan, with the event that goes with it."""
    message = ledger_pb2.Plan(
        request_id=action.request_id,
        body_digest=action.body_digest,
        kind=_kind(plan.kind),
        wallet_id=plan.wallet_id,
        legs=[_leg_out(leg) for leg in plan.legs],
        reference=action.reference,
        metadata=action.metadata,
        price_book_version=plan.price_book_version,
        charges=[charge_out(charge) for charge in plan.charges],
        event=_event_out(action, plan).SerializeToString() if plan.legs else b"",
        traceparent=action.traceparent,
        validate_only=action.validate_only,
    )
    if action.effective_at is not None:
        message.effective_time.FromDatetime(action.effective_at)
    match plan.hold:
        case OpenHold(amount, expires_at):
            message.open_hold.amount.CopyFrom(_amount_out(amount))
            if expires_at is not None:
                message.open_hold.expire_time.FromDatetime(expires_at)
        case CaptureHold(booking_id, amount):
            message.capture_hold.booking_id = booking_id
            message.capture_hold.amount.CopyFrom(_amount_out(amount))
        case ReleaseHold(booking_id, asset_code):
            message.release_hold.booking_id = booking_id
            message.release_hold.asset_code = asset_code
    if plan.lot is not None:
        message.lot.kind = lot_pb2.LotKind.Value(f"LOT_KIND_{plan.lot.kind}")
        message.lot.priority = plan.lot.priority
        if plan.lot.expires_at is not None:
            message.lot.expire_time.FromDatetime(plan.lot.expires_at)
    if plan.void_of is not None:
        message.void_of.transaction_id = plan.void_of.transaction_id
        message.void_of.amount_minor = plan.void_of.amount_minor
        message.void_of.voided_before_minor = plan.void_of.voided_before_minor
    return message


def _event_out(action: Action, plan: Plan) -> event_pb2.CostRevenueEvent:
    """Build the finance fact of a plan; the publisher adds what only the ledger knows."""
    return event_pb2.CostRevenueEvent(
        kind=_kind(plan.kind),
        wallet_id=plan.wallet_id,
        product_code=plan.product_code,
        quantity=plan.quantity,
        lines=[_line_out(leg, plan.vendor_code) for leg in plan.legs],
        price_book_version=plan.price_book_version,
        request_id=action.request_id,
        reference=action.reference,
        booking_id=plan.hold.booking_id if isinstance(plan.hold, CaptureHold) else "",
        voids_transaction_id=plan.void_of.transaction_id if plan.void_of else "",
    )


def _line_out(leg: Leg, vendor_code: str) -> event_pb2.EventLine:
    return event_pb2.EventLine(
        type=_LINE_TYPES[leg.account_type],
        amount=amount_pb2.Amount(asset_code=leg.asset_code, minor_units=leg.amount_minor),
        wallet_id=leg.wallet_id,
        vendor_code=vendor_code if leg.account_type.startswith("VENDOR_") else "",
    )


def _leg_out(leg: Leg) -> ledger_pb2.Leg:
    return ledger_pb2.Leg(
        wallet_id=leg.wallet_id,
        account_type=ledger_pb2.AccountType.Value(f"ACCOUNT_TYPE_{leg.account_type}"),
        asset_code=leg.asset_code,
        amount_minor=leg.amount_minor,
    )


def charge_out(charge: Charge) -> ledger_pb2.Charge:
    return ledger_pb2.Charge(
        product_code=charge.product_code,
        quantity=charge.quantity,
        unit_price=_amount_out(charge.unit_price),
        price=_amount_out(charge.price),
        unit_cost=_amount_out(charge.unit_cost) if charge.unit_cost else None,
        cost=_amount_out(charge.cost) if charge.cost else None,
        vendor_code=charge.vendor_code,
    )


def _amount_out(amount: Amount) -> amount_pb2.Amount:
    return amount_pb2.Amount(asset_code=amount.asset_code, minor_units=amount.minor_units)


def _kind(name: str) -> "ledger_pb2.TransactionKind.ValueType":
    return ledger_pb2.TransactionKind.Value(f"TRANSACTION_KIND_{name}")


# Answers in from the Wallet.


def booking_of(opened: ledger_pb2.Transaction) -> Booking:
    """Read what a booking froze from the transaction that opened it."""
    (charge,) = opened.charges
    return Booking(
        booking_id=opened.booking_id,
        wallet_id=opened.wallet_id,
        charge=Charge(
            product_code=charge.product_code,
            quantity=charge.quantity,
            unit_price=_amount_of(charge.unit_price),
            price=_amount_of(charge.price),
            unit_cost=_amount_of(charge.unit_cost) if charge.vendor_code else None,
            cost=_amount_of(charge.cost) if charge.vendor_code else None,
            vendor_code=charge.vendor_code,
        ),
        price_book_version=opened.price_book_version,
    )


def original_of(booked: ledger_pb2.Transaction) -> Original:
    """Read what there is to take back of a transaction."""
    own = [entry.amount for entry in booked.entries if entry.wallet_id == booked.wallet_id]
    charge = booked.charges[0] if booked.charges else ledger_pb2.Charge()
    return Original(
        transaction_id=booked.transaction_id,
        wallet_id=booked.wallet_id,
        legs=tuple(_leg_of(entry) for entry in booked.entries),
        asset_code=own[0].asset_code,
        amount_minor=abs(own[0].minor_units),
        voided_minor=booked.voided_minor,
        product_code=charge.product_code,
        vendor_code=charge.vendor_code,
        price_book_version=booked.price_book_version,
    )


def _leg_of(entry: ledger_pb2.TransactionEntry) -> Leg:
    account_type = ledger_pb2.AccountType.Name(entry.account_type).removeprefix("ACCOUNT_TYPE_")
    return Leg(account_type, entry.wallet_id, entry.amount.asset_code, entry.amount.minor_units)


def _amount_of(amount: amount_pb2.Amount) -> Amount:
    return Amount(asset_code=amount.asset_code, minor_units=amount.minor_units)


# Answers out to the caller.


def transaction_out(booked: ledger_pb2.Transaction) -> transaction_pb2.Transaction:
    """Show a ledger transaction as the action that it was."""
    wallets = [entry for entry in booked.entries if entry.wallet_id]
    target = [entry.wallet_id for entry in wallets if entry.wallet_id != booked.wallet_id]
    return transaction_pb2.Transaction(
        transaction_id=booked.transaction_id,
        booking_id=booked.booking_id,
        kind=booked.kind,
        state=booked.state,
        wallet_id=booked.wallet_id,
        target_wallet_id=target[0] if target else "",
        amount=_moved(booked),
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


def _moved(booked: ledger_pb2.Transaction) -> amount_pb2.Amount | None:
    """Say how much was added, spent, set aside, set free or moved."""
    for entry in booked.entries:
        if entry.wallet_id == booked.wallet_id:
            return amount_pb2.Amount(
                asset_code=entry.amount.asset_code,
                minor_units=abs(entry.amount.minor_units or entry.held_change_minor),
            )
    return None


def quote_out(
    charge: Charge, price_book_version: str, balance: wallet_pb2.Balance
) -> transaction_pb2.QuoteUsageResponse:
    return transaction_pb2.QuoteUsageResponse(
        charges=[charge_out(charge)],
        total=_amount_out(charge.price),
        price_book_version=price_book_version,
        balance=balance,
        sufficient_funds=balance.available_minor >= charge.price.minor_units,
    )
