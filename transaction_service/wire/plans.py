"""Plans out to the Wallet."""

from functools import lru_cache

from privy.wallet.v1 import ledger_pb2, lot_pb2

from transaction_service.domain import (
    Action,
    CaptureHold,
    Charge,
    Leg,
    OpenHold,
    Plan,
    ReleaseHold,
    Spend,
)
from transaction_service.wire.charges import amount_out, charge_out
from transaction_service.wire.events import event_out
from transaction_service.wire.names import ACCOUNT_TYPES, KINDS


def plan_out(action: Action, plan: Plan) -> ledger_pb2.Plan:
    """Build the Wallet's plan, with the event that goes with it where money moves."""
    message = ledger_pb2.Plan()
    message.CopyFrom(_alike(plan.kind, plan.legs, plan.spend, plan.charges))
    message.request_id = action.request_id
    message.body_digest = action.body_digest
    message.wallet_id = plan.wallet.wallet_id
    message.wallet_version = plan.wallet.version
    message.reference = action.reference
    message.price_book_version = plan.price_book_version
    message.traceparent = action.traceparent
    message.validate_only = action.validate_only
    if plan.legs or plan.void_of:
        message.event = event_out(action, plan).SerializeToString()
    if action.metadata:
        message.metadata.update(action.metadata)
    if action.effective_at is not None:
        message.effective_time.FromDatetime(action.effective_at)
    _fill_hold(message, plan.hold)
    _fill_effects(message, plan)
    return message


@lru_cache(maxsize=1024)
def _alike(
    kind: str, legs: tuple[Leg, ...], spend: Spend | None, charges: tuple[Charge, ...]
) -> ledger_pb2.Plan:
    """Make what most plans have in common with others, to be copied, at a tenth of the price."""
    message = ledger_pb2.Plan(
        kind=KINDS[kind],
        legs=[_leg_out(leg) for leg in legs],
        charges=[charge_out(charge) for charge in charges],
    )
    if spend is not None:
        message.spend.amount.CopyFrom(amount_out(spend.amount))
        message.spend.product_code = spend.product_code
    return message


def replay_out(action: Action) -> ledger_pb2.Plan:
    """Ask for what an action's request was answered before."""
    return ledger_pb2.Plan(
        request_id=action.request_id, body_digest=action.body_digest, replay_only=True
    )


def _fill_hold(message: ledger_pb2.Plan, hold: OpenHold | CaptureHold | ReleaseHold | None) -> None:
    match hold:
        case OpenHold(amount, expires_at):
            message.open_hold.amount.CopyFrom(amount_out(amount))
            if expires_at is not None:
                message.open_hold.expire_time.FromDatetime(expires_at)
        case CaptureHold():
            message.capture_hold.booking_id = hold.booking_id
            message.capture_hold.amount.CopyFrom(amount_out(hold.amount))
            message.capture_hold.quantity = hold.quantity
            message.capture_hold.captured_quantity_before = hold.captured_quantity_before
        case ReleaseHold(booking_id):
            message.release_hold.booking_id = booking_id


def _fill_effects(message: ledger_pb2.Plan, plan: Plan) -> None:
    if plan.lot is not None:
        message.lot.kind = lot_pb2.LotKind.Value(f"LOT_KIND_{plan.lot.kind}")
        message.lot.priority = plan.lot.priority
        if plan.lot.expires_at is not None:
            message.lot.expire_time.FromDatetime(plan.lot.expires_at)
    if plan.extend_lot is not None:
        message.extend_lot.lot_id = plan.extend_lot.lot_id
        message.extend_lot.asset_code = plan.extend_lot.asset_code
        message.extend_lot.expire_time.FromDatetime(plan.extend_lot.expires_at)
    if plan.void_of is not None:
        message.void_of.transaction_id = plan.void_of.transaction_id
        message.void_of.amount_minor = plan.void_of.amount_minor


def _leg_out(leg: Leg) -> ledger_pb2.Leg:
    return ledger_pb2.Leg(
        wallet_id=leg.wallet_id,
        account_type=ACCOUNT_TYPES[leg.account_type],
        asset_code=leg.asset_code,
        amount_minor=leg.amount_minor,
    )
