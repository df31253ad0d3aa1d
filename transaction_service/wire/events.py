"""The finance fact of a plan."""

from privy.erp.v1 import event_pb2
from privy.wallet.v1 import wallet_pb2

from transaction_service.domain import Action, CaptureHold, Node, Plan
from transaction_service.wire.names import KINDS, WALLET_TYPES


def event_out(action: Action, plan: Plan) -> event_pb2.CostRevenueEvent:
    """Build the finance fact of a plan; the publisher adds what only the ledger knows."""
    event = event_pb2.CostRevenueEvent(
        kind=KINDS[plan.kind],
        wallet_id=plan.wallet.wallet_id,
        price_book_version=plan.price_book_version,
        request_id=action.request_id,
        reference=action.reference,
        booking_id=plan.hold.booking_id if isinstance(plan.hold, CaptureHold) else "",
        voids_transaction_id=plan.void_of.transaction_id if plan.void_of else "",
        path=[_node_out(each) for each in plan.wallet.path],
    )
    if plan.used is not None:
        event.product_code = plan.used.product_code
        event.quantity = plan.used.quantity
        event.vendor_code = plan.used.vendor_code
        event.tax_code = plan.used.tax_code
        event.seller_wallet_ids.extend(each.wallet_id for each in plan.used.margins)
    return event


def _node_out(node: Node) -> wallet_pb2.PathNode:
    return wallet_pb2.PathNode(
        wallet_id=node.wallet_id,
        type=WALLET_TYPES[node.wallet_type],
        role=node.role,
    )
