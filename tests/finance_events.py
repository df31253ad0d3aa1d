"""Finance events as they are published."""

from google.pubsub_v1.types import PubsubMessage
from privy.erp.v1.event_pb2 import CostRevenueEvent, LineType
from privy.wallet.v1.ledger_pb2 import TransactionKind
from privy.wallet.v1.wallet_pb2 import WalletType

from transaction_service.chart_of_accounts import ChartSettings, load_chart

CHART = load_chart(ChartSettings.model_fields["chart_of_accounts_file"].default)
"""The chart of accounts that the publisher and the sink use unless told otherwise."""


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
        vendor_code="CA",
        tax_code="VAT",
        enterprise_wallet_id="wal_8",
        merchant_wallet_id="wal_1",
        reseller_wallet_id="wal_9",
        seller_wallet_ids=["wal_9"],
    )
    event.path.add(wallet_id="wal_9", type=WalletType.WALLET_TYPE_RESELLER)
    event.path.add(wallet_id="wal_1", type=WalletType.WALLET_TYPE_ENTERPRISE, role="MERCHANT")
    for line_type, minor_units, account_code in (
        (LineType.LINE_TYPE_DEFERRED_REVENUE, 1_000, "2410"),
        (LineType.LINE_TYPE_REVENUE, -1_000, "4110"),
    ):
        line = event.lines.add(type=line_type, wallet_id="wal_1", account_code=account_code)
        line.amount.asset_code = "IDR"
        line.amount.minor_units = minor_units
    event.create_time.FromSeconds(1_800_000_000)
    event.effective_time.FromSeconds(1_800_000_001)
    return event


def event_attributes(event: CostRevenueEvent) -> dict[str, str]:
    return {
        "ce-specversion": "1.0",
        "ce-type": "privy.erp.v1.CostRevenueEvent",
        "ce-id": event.transaction_id,
    }


def sale(number: int) -> CostRevenueEvent:
    """Build one of many different events: of five merchants, three products and two days.

    Every seventh takes something back.
    """
    event = finance_event(f"txn_{number}")
    event.wallet_id = event.merchant_wallet_id = f"wal_{number % 5}"
    event.product_code = ("ESIGN", "API_CALL", "")[number % 3]
    event.effective_time.FromSeconds(1_800_000_000 + 86_400 * (number % 2))
    event.ClearField("lines")
    price, sign = 1_000 + number, -1 if number % 7 == 0 else 1
    for name, minor_units in (
        ("DEFERRED_REVENUE", price),
        ("REVENUE", -(price - 120)),
        ("MARGIN", -20),
        ("TAX", -100),
        ("COST", 40),
        ("VENDOR_PAYABLE", -40),
    ):
        line_type = LineType.Value(f"LINE_TYPE_{name}")
        line = event.lines.add(type=line_type, account_code=CHART.code_of(line_type, "IDR"))
        line.amount.asset_code, line.amount.minor_units = "IDR", sign * minor_units
    return event


def message_of(event: CostRevenueEvent, ordering_key: str = "") -> PubsubMessage:
    return PubsubMessage(
        data=event.SerializeToString(),
        attributes=event_attributes(event),
        ordering_key=ordering_key,
    )
