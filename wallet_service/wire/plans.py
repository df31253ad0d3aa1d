"""Plans as values of the domain, checked field by field. Nothing else is decided here."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from google.protobuf.json_format import MessageToDict
from privy.wallet.v1 import amount_pb2, ledger_pb2, lot_pb2

from shared.canonical_json import canonical_json
from shared.enums import enum_names
from shared.errors import InvalidArgument, invalid
from shared.fields import checked_text, moment_of
from shared.idempotency import DIGEST_BYTES, digest
from wallet_service import ids
from wallet_service.decide.plan import (
    HOUSE,
    MAX_AMOUNT_MINOR,
    MAX_LEGS,
    WALLET,
    AccountKey,
    AnyHold,
    CaptureHold,
    ExtendLot,
    Leg,
    LotId,
    LotTerms,
    OpenHold,
    Plan,
    ReleaseHold,
    Spend,
    VoidOf,
)
from wallet_service.errors import Refusal, group_refused
from wallet_service.wire import spending
from wallet_service.wire.fields import (
    KINDS,
    MAX_CODE,
    MAX_REFERENCE,
    MAX_REQUEST_ID,
    enum_name,
    metadata_json,
)

MAX_PRIORITY = 1000
DEFAULT_PRIORITY = 100

MAX_ALIKE_BYTES = 4096
"""Of longer terms none are remembered, so that those that are take a few megabytes at most."""

_ACCOUNT_TYPES = enum_names(ledger_pb2.AccountType, "ACCOUNT_TYPE_")
_LOT_KINDS = enum_names(lot_pb2.LotKind, "LOT_KIND_")
_NO_TERMS: Final = (
    "request_id",
    "body_digest",
    "wallet_id",
    "wallet_version",
    "effective_time",
    "reference",
    "metadata",
    "event",
    "traceparent",
    "group_id",
)
"""A plan's fields that say who asks for it when."""

_MADE_BY_THE_LEDGER = frozenset({"VOID", "EXTENSION"})
"""Whose legs the ledger makes under its own locks."""

_OWN_KINDS = frozenset({"EXPIRATION", "BREAKAGE"})
"""What the ledger does by itself, and nobody may ask for."""


@dataclass(frozen=True, slots=True)
class Group:
    """Plans to be posted together; or, if one of them is malformed, a refusal for each."""

    plans: Sequence[Plan] = ()
    refusals: Sequence[Refusal] = ()


def groups_of(request: ledger_pb2.PostBatchRequest) -> list[Group]:
    """Read plans by groups; a plan that belongs to none is a group of its own.

    A malformed plan must not cost the others in the call their posting.
    """
    messages = list(request.plans)
    bounds = _group_bounds(messages)
    plans = [_plan_or_refusal(each, i) for i, each in enumerate(messages)]
    return [_group(plans[start:end], messages[start:end]) for start, end in bounds]


def _group(plans: Sequence[Plan | Refusal], messages: Sequence[ledger_pb2.Plan]) -> Group:
    sound = [each for each in plans if isinstance(each, Plan)]
    if len(sound) == len(plans):
        return Group(plans=sound)
    return Group(refusals=_refused(plans, messages))


def _group_bounds(messages: Sequence[ledger_pb2.Plan]) -> list[tuple[int, int]]:
    """Answer where each group starts and ends. Raises `InvalidArgument` for a torn one."""
    bounds: list[tuple[int, int]] = []
    ended: set[str] = set()
    for i, message in enumerate(messages):
        group_id = message.group_id
        if group_id and i and messages[i - 1].group_id == group_id:
            bounds[-1] = bounds[-1][0], i + 1
            continue
        if group_id in ended:
            raise invalid(f"plans[{i}].group_id", "must follow the other plans of its group")
        ended |= {group_id} - {""}
        bounds.append((i, i + 1))
    return bounds


def _refused(plans: Sequence[Plan | Refusal], messages: Sequence[ledger_pb2.Plan]) -> list[Refusal]:
    at_fault, refusal = next(
        (message.request_id, each)
        for each, message in zip(plans, messages, strict=True)
        if isinstance(each, Refusal)
    )
    others = group_refused(at_fault, refusal)
    return [each if isinstance(each, Refusal) else others for each in plans]


def _plan_or_refusal(message: ledger_pb2.Plan, index: int) -> Plan | Refusal:
    """Read a plan; one that is malformed must not cost the others in its batch their posting."""
    try:
        return plan_of(message)
    except InvalidArgument as error:
        (violation,) = error.violations
        field = f"plans[{index}].{violation.field}"
        return Refusal(error.reason, violation.description, field=field)


def plan_of(message: ledger_pb2.Plan) -> Plan:
    """Read a plan. Raises `InvalidArgument` naming a field of it."""
    if len(message.body_digest) != DIGEST_BYTES:
        raise invalid("body_digest", f"must be {DIGEST_BYTES} bytes")
    request_id = checked_text(message.request_id, "request_id", 1, MAX_REQUEST_ID)
    request_digest, body_digest = digest(request_id.encode()), message.body_digest
    if message.replay_only:
        return Plan(request_id, request_digest, body_digest, "", HOUSE, replay_only=True)
    checked_text(message.group_id, "group_id", 0, MAX_REQUEST_ID)
    if message.wallet_version < 0:
        raise invalid("wallet_version", "must not be negative")
    wallet_id = ids.wallet_number(message.wallet_id)
    effective_at = moment_of(message, "effective_time")
    reference = checked_text(message.reference, "reference", 0, MAX_REFERENCE)
    metadata = metadata_json(message.metadata, "metadata")
    traceparent = checked_text(message.traceparent, "traceparent", 0, MAX_CODE)
    event, wallet_version = message.event or None, message.wallet_version
    terms = _terms_for(message, wallet_id)
    return Plan(
        request_id=request_id,
        request_digest=request_digest,
        body_digest=body_digest,
        kind=terms.kind,
        wallet_id=wallet_id,
        legs=terms.legs,
        hold=terms.hold,
        effective_at=effective_at,
        reference=reference,
        metadata_json=metadata,
        price_book_version=terms.price_book_version,
        charges_json=terms.charges_json,
        event=event,
        traceparent=traceparent,
        validate_only=terms.validate_only,
        void_of=terms.void_of,
        lot=terms.lot,
        extend_lot=terms.extend_lot,
        spend=terms.spend,
        wallet_version=wallet_version,
        exchange_rate_json=terms.exchange_rate_json,
    )


class _Terms(NamedTuple):
    """What a plan does, apart from who asks for it when."""

    kind: str
    legs: tuple[Leg, ...]
    hold: AnyHold | None
    price_book_version: str
    charges_json: str
    validate_only: bool
    void_of: VoidOf | None
    lot: LotTerms | None
    extend_lot: ExtendLot | None
    spend: Spend | None
    exchange_rate_json: str


def _terms_for(message: ledger_pb2.Plan, wallet_id: int) -> _Terms:
    """Read the terms of a wallet's plan.

    Those of a usage name no wallet of whoever asks: most are like others, and known.
    """
    is_usage = message.HasField("spend") and message.WhichOneof("hold") is None
    if not is_usage or message.HasField("lot"):
        return _terms_of(message, wallet_id)
    terms = ledger_pb2.Plan()
    terms.CopyFrom(message)
    for field in _NO_TERMS:
        terms.ClearField(field)
    serialized = terms.SerializeToString()
    if len(serialized) > MAX_ALIKE_BYTES:
        return _terms_of(terms, HOUSE)
    return _terms_alike(serialized)


@lru_cache(maxsize=1024)
def _terms_alike(serialized: bytes) -> _Terms:
    return _terms_of(ledger_pb2.Plan.FromString(serialized), HOUSE)


def _terms_of(message: ledger_pb2.Plan, wallet_id: int) -> _Terms:
    legs, spend = spending.split_of(_legs_of(message), message, wallet_id)
    return _Terms(
        kind=_kind_of(message),
        legs=legs,
        hold=_hold_of(message, wallet_id, spend),
        price_book_version=checked_text(
            message.price_book_version, "price_book_version", 0, MAX_CODE
        ),
        charges_json=_charges_json(message.charges),
        validate_only=message.validate_only,
        void_of=_void_of(message),
        lot=_lot_of(message, wallet_id, legs),
        extend_lot=_extend_lot_of(message, wallet_id),
        spend=spend,
        exchange_rate_json=_exchange_rate_json(message, legs),
    )


def _kind_of(message: ledger_pb2.Plan) -> str:
    kind = enum_name(KINDS, message.kind, "kind")
    if kind in _OWN_KINDS:
        raise invalid("kind", f"{kind} is what the ledger does by itself")
    return kind


def _lot_of(message: ledger_pb2.Plan, wallet_id: int, legs: Sequence[Leg]) -> LotTerms | None:
    if not message.HasField("lot"):
        return None
    if [leg.amount_minor < 0 for leg in legs if leg.key.wallet_id == wallet_id] != [True]:
        raise invalid("lot", "must be set only where the wallet is credited, and once")
    terms = message.lot
    if not 0 <= terms.priority <= MAX_PRIORITY:
        raise invalid("lot.priority", f"must be 1 to {MAX_PRIORITY}")
    return LotTerms(
        enum_name(_LOT_KINDS, terms.kind, "lot.kind"),
        terms.priority or DEFAULT_PRIORITY,
        moment_of(terms, "expire_time", "lot"),
    )


def _exchange_rate_json(message: ledger_pb2.Plan, legs: Sequence[Leg]) -> str:
    """Read the rate of an exchange, which its two sides must agree with."""
    is_exchange = message.kind == ledger_pb2.TRANSACTION_KIND_EXCHANGE
    if is_exchange != message.HasField("exchange_rate"):
        raise invalid("exchange_rate", "must be set where the kind is EXCHANGE, only there")
    if not is_exchange:
        return ""
    rate = message.exchange_rate
    for name in ("numerator", "denominator"):
        if not 1 <= getattr(rate, name) <= MAX_AMOUNT_MINOR:
            raise invalid(f"exchange_rate.{name}", f"must be 1 to {MAX_AMOUNT_MINOR}")
    sides = {leg.key.asset_code: leg.amount_minor for leg in legs if leg.key[1] == "EXCHANGE"}
    given_minor = -sides.get(rate.source_asset_code, 0)
    received_minor = given_minor * rate.numerator // rate.denominator
    wanted = {rate.source_asset_code: -given_minor, rate.target_asset_code: received_minor}
    if given_minor <= 0 or len(wanted) != 2 or sides != wanted:  # noqa: PLR2004 (two sides)
        raise invalid("exchange_rate", "must be what the EXCHANGE legs come to")
    return canonical_json(MessageToDict(rate, preserving_proto_field_name=True))


def _void_of(message: ledger_pb2.Plan) -> VoidOf | None:
    if (message.kind == ledger_pb2.TRANSACTION_KIND_VOID) != message.HasField("void_of"):
        raise invalid("void_of", "must be set where the kind is VOID, and only there")
    if not message.HasField("void_of"):
        return None
    void = message.void_of
    if not 0 <= void.amount_minor <= MAX_AMOUNT_MINOR:
        raise invalid("void_of.amount_minor", f"must be 0 to {MAX_AMOUNT_MINOR}")
    return VoidOf(ids.transaction_number(void.transaction_id), void.amount_minor)


def _extend_lot_of(message: ledger_pb2.Plan, wallet_id: int) -> ExtendLot | None:
    if (message.kind == ledger_pb2.TRANSACTION_KIND_EXTENSION) != message.HasField("extend_lot"):
        raise invalid("extend_lot", "must be set where the kind is EXTENSION, only there")
    if not message.HasField("extend_lot"):
        return None
    extend, name = message.extend_lot, "extend_lot"
    expires_at = moment_of(extend, "expire_time", name)
    if expires_at is None:
        raise invalid(f"{name}.expire_time", "is required")
    asset_code = checked_text(extend.asset_code, f"{name}.asset_code", 1, MAX_CODE)
    return ExtendLot(
        AccountKey(wallet_id, WALLET, asset_code),
        LotId(*ids.lot_number(extend.lot_id)),
        expires_at,
    )


def _legs_of(message: ledger_pb2.Plan) -> tuple[Leg, ...]:
    """Read the legs; whether they are balanced depends on what is spent."""
    if len(message.legs) > MAX_LEGS:
        raise invalid("legs", f"must be at most {MAX_LEGS}")
    legs = tuple(_leg_of(leg, f"legs[{i}]") for i, leg in enumerate(message.legs))
    if len({leg.key for leg in legs}) < len(legs):
        raise invalid("legs", "must name each account once")
    made = KINDS.get(message.kind) in _MADE_BY_THE_LEDGER
    if legs and made:
        raise invalid("legs", "must be empty: the ledger makes them")
    if not legs and not made and message.WhichOneof("hold") is None:
        raise invalid("legs", "must not be empty where no hold changes")
    own = any(leg.wallet_id == message.wallet_id for leg in message.legs)
    if legs and not own and not message.HasField("spend"):
        raise invalid("wallet_id", "must own one of the legs")
    return legs


def _leg_of(leg: ledger_pb2.Leg, path: str) -> Leg:
    account_type = enum_name(_ACCOUNT_TYPES, leg.account_type, f"{path}.account_type")
    if (account_type == WALLET) != bool(leg.wallet_id):
        raise invalid(f"{path}.wallet_id", "must be set for a wallet's account, and only there")
    if not 0 < abs(leg.amount_minor) <= MAX_AMOUNT_MINOR:
        raise invalid(f"{path}.amount_minor", f"must be 1 to {MAX_AMOUNT_MINOR} either way")
    owner = ids.wallet_number(leg.wallet_id) if leg.wallet_id else HOUSE
    return Leg(AccountKey(owner, account_type, leg.asset_code), leg.amount_minor)


def _hold_of(message: ledger_pb2.Plan, wallet_id: int, spend: Spend | None) -> AnyHold | None:
    match message.WhichOneof("hold"):
        case "open_hold":
            amount = message.open_hold.amount
            spending.check_amount(amount, "open_hold.amount")
            expires_at = moment_of(message.open_hold, "expire_time", "open_hold")
            key = AccountKey(wallet_id, WALLET, amount.asset_code)
            return OpenHold(key, amount.minor_units, expires_at)
        case "capture_hold":
            return _capture_of(message, spend)
        case "release_hold":
            return ReleaseHold(ids.booking_number(message.release_hold.booking_id))
    return None


def _capture_of(message: ledger_pb2.Plan, spend: Spend | None) -> CaptureHold:
    capture = message.capture_hold
    spending.check_amount(capture.amount, "capture_hold.amount")
    if spend is None or (spend.asset_code, spend.amount_minor) != (
        capture.amount.asset_code,
        capture.amount.minor_units,
    ):
        raise invalid("capture_hold.amount", "must be what is spent")
    quantity = sum(each.quantity for each in message.charges)
    if capture.quantity not in {0, quantity}:
        raise invalid("capture_hold.quantity", "must be what the charges are for")
    before = capture.captured_quantity_before if capture.quantity else None
    return CaptureHold(ids.booking_number(capture.booking_id), quantity, before)


def _charges_json(charges: Sequence[ledger_pb2.Charge]) -> str:
    if len(charges) > MAX_LEGS:
        raise invalid("charges", f"must be at most {MAX_LEGS}")
    for i, charge in enumerate(charges):
        checked_text(charge.product_code, f"charges[{i}].product_code", 1, MAX_CODE)
        checked_text(charge.vendor_code, f"charges[{i}].vendor_code", 0, MAX_CODE)
        checked_text(charge.tax_code, f"charges[{i}].tax_code", 0, MAX_CODE)
        if len(charge.margins) > MAX_LEGS:
            raise invalid(f"charges[{i}].margins", f"must be at most {MAX_LEGS}")
    return f"[{','.join([_charge_json(each.SerializeToString()) for each in charges])}]"


@lru_cache(maxsize=1024)
def _charge_json(serialized: bytes) -> str:
    """Write a charge as canonical JSON; most are like others, which saves most of the work.

    Keeps all that it says: a commit, and what finance hears of a void, go by it.
    """
    charge = ledger_pb2.Charge.FromString(serialized)
    amounts = {
        "unit_price": charge.unit_price,
        "price": charge.price,
        "unit_cost": charge.unit_cost,
        "cost": charge.cost,
        "tax": charge.tax,
        "revenue": charge.revenue,
    }
    margins = [{"wallet_id": m.wallet_id, "minor_units": m.minor_units} for m in charge.margins]
    return canonical_json(
        {
            "product_code": charge.product_code,
            "quantity": charge.quantity,
            "vendor_code": charge.vendor_code,
            "tax_code": charge.tax_code,
            "margins": margins,
            **{name: _amount_dict(each) for name, each in amounts.items() if each.asset_code},
        }
    )


def _amount_dict(amount: amount_pb2.Amount) -> dict[str, object]:
    return {"asset_code": amount.asset_code, "minor_units": amount.minor_units}
