"""The finance fact of a plan."""

from functools import lru_cache

from privy.erp.v1 import event_pb2

from transaction_service.domain import Action, CaptureHold, Charge, Plan
from transaction_service.wire.names import KINDS, WALLET_TYPES


def event_out(action: Action, plan: Plan) -> event_pb2.CostRevenueEvent:
    """Build the finance fact of a plan; the publisher adds what only the ledger knows."""
    event = event_pb2.CostRevenueEvent()
    event.CopyFrom(_alike(plan.kind, plan.used))
    event.wallet_id = plan.wallet.wallet_id
    event.price_book_version = plan.price_book_version
    event.request_id = action.request_id
    event.reference = action.reference
    if isinstance(plan.hold, CaptureHold):
        event.booking_id = plan.hold.booking_id
    if plan.void_of:
        event.voids_transaction_id = plan.void_of.transaction_id
    for wallet_id, wallet_type, role in plan.wallet.path:
        event.path.add(wallet_id=wallet_id, type=WALLET_TYPES[wallet_type], role=role)
    return event


@lru_cache(maxsize=1024)
def _alike(kind: str, used: Charge | None) -> event_pb2.CostRevenueEvent:
    """Make what most facts have in common with others, to be copied."""
    event = event_pb2.CostRevenueEvent(kind=KINDS[kind])
    if used is not None:
        event.product_code = used.product_code
        event.quantity = used.quantity
        event.vendor_code = used.vendor_code
        event.tax_code = used.tax_code
        event.seller_wallet_ids.extend(each.wallet_id for each in used.margins)
    return event
