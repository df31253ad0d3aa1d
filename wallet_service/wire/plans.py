"""Plans as values of the domain, checked field by field. Nothing else is decided here."""

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.json_format import MessageToDict
from privy.wallet.v1 import amount_pb2, ledger_pb2, lot_pb2

from shared.canonical_json import canonical_json
from shared.errors import InvalidArgument, invalid
from shared.fields import checked_text, moment_of
from shared.idempotency import DIGEST_BYTES, digest
from wallet_service import ids
from wallet_service.decide.model import (
    HOUSE,
    MAX_AMOUNT_MINOR,
    MAX_LEGS,
    WALLET,
    AccountKey,
    CaptureHold,
    Leg,
    LotTerms,
    OpenHold,
    Plan,
    ReleaseHold,
    VoidOf,
)
from wallet_service.errors import Refusal, group_refused
from wallet_service.wire.fields import (
    KINDS,
    MAX_CODE,
    MAX_REFERENCE,
    MAX_REQUEST_ID,
    enum_name,
    enum_names,
    metadata_json,
)

MAX_PRIORITY = 1000
DEFAULT_PRIORITY = 100

_ACCOUNT_TYPES = enum_names(ledger_pb2.AccountType, "ACCOUNT_TYPE_")
_LOT_KINDS = enum_names(lot_pb2.LotKind, "LOT_KIND_")
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
    groups = []
    for start, end in _group_bounds(request.plans):
        plans = [_plan_or_refusal(request.plans[i], f"plans[{i}]") for i in range(start, end)]
        if sound := _all_sound(plans):
            groups.append(Group(plans=sound))
        else:
            groups.append(Group(refusals=_refused(plans, request.plans[start:end])))
    return groups


def _all_sound(plans: Sequence[Plan | Refusal]) -> Sequence[Plan]:
    sound = [each for each in plans if isinstance(each, Plan)]
    return sound if len(sound) == len(plans) else ()


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
        kind=_kind_of(message, path),
        wallet_id=wallet_id,
        legs=legs,
        hold=_hold_of(message, wallet_id, path),
        effective_at=moment_of(message, "effective_time", path),
        reference=checked_text(message.reference, f"{path}.reference", 0, MAX_REFERENCE),
        metadata_json=metadata_json(message.metadata, f"{path}.metadata"),
        price_book_version=checked_text(
            message.price_book_version, f"{path}.price_book_version", 0, MAX_CODE
        ),
        charges_json=_charges_json(message.charges, f"{path}.charges"),
        event=message.event or None,
        traceparent=checked_text(message.traceparent, f"{path}.traceparent", 0, MAX_CODE),
        validate_only=message.validate_only,
        void_of=_void_of(message, wallet_id, legs, path),
        lot=_lot_of(message, wallet_id, legs, path),
        exchange_rate_json=_exchange_rate_json(message, legs, path),
    )


def _plan_or_refusal(message: ledger_pb2.Plan, path: str) -> Plan | Refusal:
    """Read a plan; one that is malformed must not cost the others in its batch their posting."""
    try:
        return plan_of(message, path)
    except InvalidArgument as error:
        (violation,) = error.violations
        return Refusal(error.reason, violation.description, field=violation.field)


def _kind_of(message: ledger_pb2.Plan, path: str) -> str:
    checked_text(message.group_id, f"{path}.group_id", 0, MAX_REQUEST_ID)
    kind = enum_name(KINDS, message.kind, f"{path}.kind")
    if kind in _OWN_KINDS:
        raise invalid(f"{path}.kind", f"{kind} is what the ledger does by itself")
    return kind


def _lot_of(
    message: ledger_pb2.Plan, wallet_id: int, legs: Sequence[Leg], path: str
) -> LotTerms | None:
    if not message.HasField("lot"):
        return None
    if [leg.amount_minor < 0 for leg in legs if leg.key.wallet_id == wallet_id] != [True]:
        raise invalid(f"{path}.lot", "must be set only where the wallet is credited, and once")
    terms = message.lot
    if not 0 <= terms.priority <= MAX_PRIORITY:
        raise invalid(f"{path}.lot.priority", f"must be 1 to {MAX_PRIORITY}")
    return LotTerms(
        enum_name(_LOT_KINDS, terms.kind, f"{path}.lot.kind"),
        terms.priority or DEFAULT_PRIORITY,
        moment_of(terms, "expire_time", f"{path}.lot"),
    )


def _exchange_rate_json(message: ledger_pb2.Plan, legs: Sequence[Leg], path: str) -> str:
    """Read the rate of an exchange, which its two sides must agree with."""
    is_exchange = message.kind == ledger_pb2.TRANSACTION_KIND_EXCHANGE
    if is_exchange != message.HasField("exchange_rate"):
        raise invalid(f"{path}.exchange_rate", "must be set where the kind is EXCHANGE, only there")
    if not is_exchange:
        return ""
    rate = message.exchange_rate
    for name in ("numerator", "denominator"):
        if not 1 <= getattr(rate, name) <= MAX_AMOUNT_MINOR:
            raise invalid(f"{path}.exchange_rate.{name}", f"must be 1 to {MAX_AMOUNT_MINOR}")
    sides = {leg.key.asset_code: leg.amount_minor for leg in legs if leg.key[1] == "EXCHANGE"}
    given_minor = -sides.get(rate.source_asset_code, 0)
    received_minor = given_minor * rate.numerator // rate.denominator
    wanted = {rate.source_asset_code: -given_minor, rate.target_asset_code: received_minor}
    if given_minor <= 0 or len(wanted) != 2 or sides != wanted:  # noqa: PLR2004 (two sides)
        raise invalid(f"{path}.exchange_rate", "must be what the EXCHANGE legs come to")
    return canonical_json(MessageToDict(rate, preserving_proto_field_name=True))


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
    account_type = enum_name(_ACCOUNT_TYPES, leg.account_type, f"{path}.account_type")
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


def _charges_json(charges: Sequence[ledger_pb2.Charge], path: str) -> str:
    if len(charges) > MAX_LEGS:
        raise invalid(path, f"must be at most {MAX_LEGS}")
    for i, charge in enumerate(charges):
        checked_text(charge.product_code, f"{path}[{i}].product_code", 1, MAX_CODE)
        checked_text(charge.vendor_code, f"{path}[{i}].vendor_code", 0, MAX_CODE)
    return canonical_json([_charge_dict(each) for each in charges])


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
