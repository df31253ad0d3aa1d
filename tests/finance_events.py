"""Finance events as they are published."""

from privy.erp.v1.event_pb2 import CostRevenueEvent, LineType
from privy.wallet.v1.ledger_pb2 import TransactionKind


def finance_event(transaction_id: str) -> CostRevenueEvent:
    """Build a complete, balanced event."""
    event = CostRevenueEvent(
        transaction_id=transaction_id,
        kind=TransactionKind.TRANSACTION_KIND_USAGE,
        wallet_id="wal_1",
        product_code="ESIGN",
        quantity=2,
        price_book_version="2026-01",
        request_id="req-1",
        reference="order-1",
    )
    for line_type, minor_units in (
        (LineType.LINE_TYPE_DEFERRED_REVENUE, 1_000),
        (LineType.LINE_TYPE_REVENUE, -1_000),
    ):
        line = event.lines.add(type=line_type, wallet_id="wal_1")
        line.amount.asset_code = "IDR"
        line.amount.minor_units = minor_units
    event.create_time.FromSeconds(1_800_000_000)
    event.effective_time.FromSeconds(1_800_000_001)
    return event


def event_attributes(event: CostRevenueEvent) -> dict[str, str]:
    return {"ce-type": "privy.erp.v1.CostRevenueEvent", "ce-id": event.transaction_id}
