"""Proto ⇄ domain. Requests are checked field by field here; nothing else decides here."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from google.protobuf.json_format import ParseDict
from google.protobuf.timestamp_pb2 import Timestamp
from privy.wallet.v1 import amount_pb2, feed_pb2, ledger_pb2, wallet_pb2

from shared.errors import FieldViolation, InvalidArgument, invalid
from shared.fields import checked_text, moment_of
from shared.idempotency import DIGEST_BYTES, body_digest, digest
from wallet_service import ids
from wallet_service.decide.model import (
    HOUSE,
    MAX_AMOUNT_MINOR,
    MAX_LEGS,
    WALLET,
    AccountKey,
    CaptureHold,
    Entry,
    Leg,
    OpenHold,
    Plan,
    ReleaseHold,
    Transaction,
    VoidOf,
)
from wallet_service.errors import Refusal, wallet_not_found
from wallet_service.store.feed import FeedEvent
from wallet_service.store.reading import Balance, TrialBalanceLine, WalletEntry
from wallet_service.store.wallets import Wallet
from wallet_service.wallets import Request

Mutation: TypeAlias = (
    wallet_pb2.CreateWalletRequest
    | wallet_pb2.UpdateWalletRequest
    | wallet_pb2.FreezeWalletRequest
    | wallet_pb2.UnfreezeWalletRequest
    | wallet_pb2.CloseWalletRequest
    | wallet_pb2.SetCreditLimitRequest
)

MAX_REQUEST_ID = 64
MAX_REFERENCE = 128
MAX_CODE = 64
MAX_NOTES = 32
MAX_NOTE_KEY = 64
MAX_NOTE = 512
MAX_DISPLAY_NAME = 200

_KINDS: Mapping[int, str] = {
    number: name.removeprefix("TRANSACTION_KIND_")
    for name, number in ledger_pb2.TransactionKind.items()
}
_ACCOUNT_TYPES: Mapping[int, str] = {
    number: name.removeprefix("ACCOUNT_TYPE_") for name, number in ledger_pb2.AccountType.items()
}
_WALLET_TYPES: Mapping[int, str] = {
    number: name.removeprefix("WALLET_TYPE_") for name, number in wallet_pb2.WalletType.items()
}


# Plans in.


def plan_of(message: ledger_pb2.Plan, path: str) -> Plan:
    """Read a plan; `path` is its place in the request, for naming a field at fault."""
    if len(message.body_digest) != DIGEST_BYTES:
        raise invalid(f"{path}.body_digest", f"must be {DIGEST_BYTES} bytes")
    wallet_id = ids.wallet_number(message.wallet_id)
    legs = _legs_of(message, path)
    return Plan(
        request_id=checked_text(message.request_id, f"{path}.request_id", 1, MAX_REQUEST_ID),
        request_digest=digest(message.request_id.encode()),
        body_digest=message.body_digest,
        kind=_enum_name(_KINDS, message.kind, f"{path}.kind"),
        wallet_id=wallet_id,
        legs=legs,
        hold=_hold_of(message, wallet_id, path),
        effective_at=moment_of(message, "effective_time", path),
        reference=checked_text(message.reference, f"{path}.reference", 0, MAX_REFERENCE),
        metadata_json=_metadata_json(message.metadata, f"{path}.metadata"),
        price_book_version=checked_text(
            message.price_book_version, f"{path}.price_book_version", 0, MAX_CODE
        ),
        charges_json=_charges_json(message.charges, f"{path}.charges"),
        event=message.event or None,
        traceparent=checked_text(message.traceparent, f"{path}.traceparent", 0, MAX_CODE),
        validate_only=message.validate_only,
        void_of=_void_of(message, wallet_id, legs, path),
    )


def plan_or_refusal(message: ledger_pb2.Plan, path: str) -> Plan | Refusal:
    """Read a plan; one that is malformed must not cost the others in its batch their posting."""
    try:
        return plan_of(message, path)
    except InvalidArgument as error:
        (violation,) = error.violations
        return Refusal(error.reason, violation.description, field=violation.field)


def _void_of(
    message: ledger_pb2.Plan, wallet_id: int, legs: Sequence[Leg], path: str
) -> VoidOf | None:
    if (message.kind == ledger_pb2.TRANSACTION_KIND_VOID) != message.HasField("void_of"):
        raise invalid(f"{path}.void_of", "must be set where the kind is VOID, and only there")
    if not message.HasField("void_of"):
        return None
    void = message.void_of
    own = [leg for leg in legs if leg.key.wallet_id == wallet_id]
    if len(own) != 1 or abs(own[0].amount_minor) != void.amount_minor:
        raise invalid(f"{path}.void_of.amount_minor", "must be what the legs move on the wallet")
    transaction_id = ids.transaction_number(void.transaction_id)
    return VoidOf(own[0].key, transaction_id, void.amount_minor, void.voided_before_minor)


def _legs_of(message: ledger_pb2.Plan, path: str) -> tuple[Leg, ...]:
    if len(message.legs) > MAX_LEGS:
        raise invalid(f"{path}.legs", f"must be at most {MAX_LEGS}")
    legs = tuple(_leg_of(leg, f"{path}.legs[{i}]") for i, leg in enumerate(message.legs))
    sums: dict[str, int] = {}
    for leg in legs:
        sums[leg.key.asset_code] = sums.get(leg.key.asset_code, 0) + leg.amount_minor
    if any(sums.values()):
        raise invalid(f"{path}.legs", f"must sum to zero for each asset, not {sums}")
    if len({leg.key for leg in legs}) < len(legs):
        raise invalid(f"{path}.legs", "must name each account once")
    if not legs and message.WhichOneof("hold") is None:
        raise invalid(f"{path}.legs", "must not be empty where no hold changes")
    if legs and all(leg.wallet_id != message.wallet_id for leg in message.legs):
        raise invalid(f"{path}.wallet_id", "must own one of the legs")
    return legs


def _leg_of(leg: ledger_pb2.Leg, path: str) -> Leg:
    account_type = _enum_name(_ACCOUNT_TYPES, leg.account_type, f"{path}.account_type")
    if (account_type == WALLET) != bool(leg.wallet_id):
        raise invalid(f"{path}.wallet_id", "must be set for a wallet's account, and only there")
    if not 0 < abs(leg.amount_minor) <= MAX_AMOUNT_MINOR:
        raise invalid(f"{path}.amount_minor", f"must be 1 to {MAX_AMOUNT_MINOR} either way")
    owner = ids.wallet_number(leg.wallet_id) if leg.wallet_id else HOUSE
    return Leg(AccountKey(owner, account_type, leg.asset_code), leg.amount_minor)


def _hold_of(
    message: ledger_pb2.Plan, wallet_id: int, path: str
) -> OpenHold | CaptureHold | ReleaseHold | None:
    match message.WhichOneof("hold"):
        case "open_hold":
            key, minor = _held(message.open_hold.amount, wallet_id, f"{path}.open_hold.amount")
            expires_at = moment_of(message.open_hold, "expire_time", f"{path}.open_hold")
            return OpenHold(key, minor, expires_at)
        case "capture_hold":
            capture = message.capture_hold
            key, minor = _held(capture.amount, wallet_id, f"{path}.capture_hold.amount")
            if _debited_minor(message, key) != minor:
                raise invalid(f"{path}.capture_hold.amount", "must be what the legs debit")
            return CaptureHold(key, ids.booking_number(capture.booking_id), minor)
        case "release_hold":
            release = message.release_hold
            key = AccountKey(wallet_id, WALLET, release.asset_code)
            return ReleaseHold(key, ids.booking_number(release.booking_id))
    return None


def _held(amount: amount_pb2.Amount, wallet_id: int, path: str) -> tuple[AccountKey, int]:
    if not 0 < amount.minor_units <= MAX_AMOUNT_MINOR:
        raise invalid(f"{path}.minor_units", f"must be 1 to {MAX_AMOUNT_MINOR}")
    return AccountKey(wallet_id, WALLET, amount.asset_code), amount.minor_units


def _debited_minor(message: ledger_pb2.Plan, key: AccountKey) -> int:
    for leg in message.legs:
        if leg.wallet_id == message.wallet_id and leg.asset_code == key.asset_code:
            return leg.amount_minor
    return 0


def _metadata_json(metadata: Mapping[str, str], path: str) -> str:
    if not metadata:
        return "{}"
    if len(metadata) > MAX_NOTES:
        raise invalid(path, f"must be at most {MAX_NOTES}")
    for key, value in metadata.items():
        checked_text(key, path, 1, MAX_NOTE_KEY)
        checked_text(value, f"{path}.{key}", 0, MAX_NOTE)
    return json.dumps(dict(metadata))


def _charges_json(charges: Sequence[ledger_pb2.Charge], path: str) -> str:
    if len(charges) > MAX_LEGS:
        raise invalid(path, f"must be at most {MAX_LEGS}")
    for i, charge in enumerate(charges):
        checked_text(charge.product_code, f"{path}[{i}].product_code", 1, MAX_CODE)
        checked_text(charge.vendor_code, f"{path}[{i}].vendor_code", 0, MAX_CODE)
    return json.dumps([_charge_dict(each) for each in charges])


def _charge_dict(charge: ledger_pb2.Charge) -> dict[str, object]:
    return {
        "product_code": charge.product_code,
        "quantity": charge.quantity,
        "unit_price": _amount_dict(charge.unit_price),
        "price": _amount_dict(charge.price),
        "unit_cost": _amount_dict(charge.unit_cost),
        "cost": _amount_dict(charge.cost),
        "vendor_code": charge.vendor_code,
    }


def _amount_dict(amount: amount_pb2.Amount) -> dict[str, object]:
    return {"asset_code": amount.asset_code, "minor_units": amount.minor_units}


# Requests about wallets in.


def create_request_of(
    message: wallet_pb2.CreateWalletRequest,
) -> tuple[Request, str, str, int | None]:
    """Read what `CreateWallet` needs: the request, type, name and parent."""
    wallet = message.wallet
    faults = [
        FieldViolation(f"wallet.{name}", "is assigned by the service")
        for name in ("wallet_id", "state", "version")
        if getattr(wallet, name)
    ]
    if faults:
        raise InvalidArgument("FIELD_INVALID", *faults)
    return (
        request_of(message),
        _enum_name(_WALLET_TYPES, wallet.type, "wallet.type"),
        checked_text(wallet.display_name, "wallet.display_name", 1, MAX_DISPLAY_NAME),
        ids.wallet_number(wallet.parent_wallet_id) if wallet.parent_wallet_id else None,
    )


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


def _enum_name(names: Mapping[int, str], number: int, path: str) -> str:
    if number == 0 or number not in names:
        raise invalid(path, "must be a known value")
    return names[number]


# Answers out.


def result_out(answer: Transaction | Refusal) -> ledger_pb2.PlanResult:
    if isinstance(answer, Refusal):
        return ledger_pb2.PlanResult(refusal=_refusal_out(answer))
    return ledger_pb2.PlanResult(transaction=transaction_out(answer))


def _refusal_out(refusal: Refusal) -> ledger_pb2.Refusal:
    return ledger_pb2.Refusal(
        code=refusal.code,
        reason=refusal.reason,
        message=refusal.message,
        metadata=refusal.metadata,
        field=refusal.field,
    )


def transaction_out(transaction: Transaction) -> ledger_pb2.Transaction:
    written = transaction.transaction_id
    expires_at = transaction.expires_at if transaction.kind == "BOOKING" else None
    return ledger_pb2.Transaction(
        transaction_id=ids.transaction_text(written) if written else "",
        booking_id=ids.booking_text(transaction.booking_id) if transaction.booking_id else "",
        kind=ledger_pb2.TransactionKind.Value(f"TRANSACTION_KIND_{transaction.kind}"),
        state=ledger_pb2.TransactionState.Value(f"TRANSACTION_STATE_{transaction.state}"),
        wallet_id=ids.wallet_text(transaction.wallet_id),
        entries=[_entry_out(each) for each in transaction.entries],
        request_id=transaction.request_id,
        reference=transaction.reference,
        metadata=json.loads(transaction.metadata_json),
        price_book_version=transaction.price_book_version,
        charges=[
            ParseDict(each, ledger_pb2.Charge()) for each in json.loads(transaction.charges_json)
        ],
        create_time=timestamp(transaction.recorded_at),
        effective_time=timestamp(transaction.effective_at),
        held_remaining=_held_remaining_out(transaction),
        voids_transaction_id=ids.transaction_text(transaction.voids_transaction_id)
        if transaction.voids_transaction_id
        else "",
        voided_minor=transaction.voided_minor,
        expire_time=timestamp(expires_at) if expires_at else None,
    )


def _held_remaining_out(transaction: Transaction) -> amount_pb2.Amount | None:
    if transaction.kind != "BOOKING":
        return None
    return amount_pb2.Amount(
        asset_code=transaction.entries[0].key.asset_code,
        minor_units=transaction.held_remaining_minor,
    )


def _entry_out(entry: Entry) -> ledger_pb2.TransactionEntry:
    wallet_id, account_type, asset_code = entry.key
    out = ledger_pb2.TransactionEntry(
        account_type=ledger_pb2.AccountType.Value(f"ACCOUNT_TYPE_{account_type}"),
        amount=amount_pb2.Amount(asset_code=asset_code, minor_units=entry.amount_minor),
        held_change_minor=entry.held_change_minor,
    )
    if wallet_id != HOUSE:
        out.wallet_id = ids.wallet_text(wallet_id)
        balance = Balance(
            asset_code,
            -entry.balance_after_minor,
            entry.held_after_minor,
            entry.credit_limit_minor,
        )
        out.balance_after.CopyFrom(balance_out(balance))
    return out


def balance_out(balance: Balance) -> wallet_pb2.Balance:
    return wallet_pb2.Balance(
        asset_code=balance.asset_code,
        posted_minor=balance.posted_minor,
        held_minor=balance.held_minor,
        available_minor=balance.available_minor,
        credit_limit_minor=balance.credit_limit_minor,
    )


def wallet_out(wallet: Wallet) -> wallet_pb2.Wallet:
    return wallet_pb2.Wallet(
        wallet_id=ids.wallet_text(wallet.wallet_id) if wallet.wallet_id else "",
        type=wallet_pb2.WalletType.Value(f"WALLET_TYPE_{wallet.wallet_type}"),
        display_name=wallet.display_name,
        parent_wallet_id=ids.wallet_text(wallet.parent_wallet_id)
        if wallet.parent_wallet_id
        else "",
        state=wallet_pb2.WalletState.Value(f"WALLET_STATE_{wallet.state}"),
        version=wallet.version,
        create_time=timestamp(wallet.created_at) if wallet.created_at else None,
    )


def wallet_entry_out(entry: WalletEntry) -> wallet_pb2.Entry:
    return wallet_pb2.Entry(
        transaction_id=ids.transaction_text(entry.transaction_id),
        leg_index=entry.leg_index,
        asset_code=entry.asset_code,
        amount_minor=entry.amount_minor,
        held_change_minor=entry.held_change_minor,
        posted_after_minor=entry.posted_after_minor,
        held_after_minor=entry.held_after_minor,
        reference=entry.reference,
        create_time=timestamp(entry.recorded_at),
        effective_time=timestamp(entry.effective_at),
    )


def trial_balance_line_out(line: TrialBalanceLine) -> ledger_pb2.TrialBalanceLine:
    return ledger_pb2.TrialBalanceLine(
        account_type=ledger_pb2.AccountType.Value(f"ACCOUNT_TYPE_{line.account_type}"),
        asset_code=line.asset_code,
        amount_minor=line.amount_minor,
    )


def feed_event_out(event: FeedEvent) -> feed_pb2.FeedEvent:
    return feed_pb2.FeedEvent(
        transaction_id=ids.transaction_text(event.transaction_id),
        wallet_id=ids.wallet_text(event.wallet_id),
        payload=event.payload,
        traceparent=event.traceparent,
        create_time=timestamp(event.recorded_at),
        effective_time=timestamp(event.effective_at),
    )


def timestamp(moment: datetime) -> Timestamp:
    out = Timestamp()
    out.FromDatetime(moment)
    return out
