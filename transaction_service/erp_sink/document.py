"""An event as the document that finance reads. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from transaction_service.erp_sink.event import Event, Line, Node

Value = str | int | datetime | Sequence["Value"] | Mapping[str, "Value"]
Document = Mapping[str, Value]


def document_of(event: Event) -> Document:
    """Build the document of `event`; its id is the transaction's. Amounts are in minor units."""
    return {
        "transaction_id": event.transaction_id,
        "kind": event.kind,
        "wallet_id": event.wallet_id,
        "product_code": event.product_code,
        "quantity": event.quantity,
        "lines": [_line(each) for each in event.lines],
        "price_book_version": event.price_book_version,
        "request_id": event.request_id,
        "reference": event.reference,
        "booking_id": event.booking_id,
        "voids_transaction_id": event.voids_transaction_id,
        "path": [_node(each) for each in event.path],
        "enterprise_wallet_id": event.enterprise_wallet_id,
        "merchant_wallet_id": event.merchant_wallet_id,
        "application_wallet_id": event.application_wallet_id,
        "channel_wallet_id": event.channel_wallet_id,
        "reseller_wallet_id": event.reseller_wallet_id,
        "vendor_code": event.vendor_code,
        "tax_code": event.tax_code,
        "seller_wallet_ids": event.seller_wallet_ids,
        "create_time": event.created_at,
        "effective_time": event.effective_at,
    }


def _line(line: Line) -> Document:
    return {
        "type": line.type,
        "asset_code": line.asset_code,
        "amount_minor": line.amount_minor,
        "wallet_id": line.wallet_id,
        "vendor_code": line.vendor_code,
        "tax_code": line.tax_code,
        "account_code": line.account_code,
    }


def _node(node: Node) -> Document:
    return {"wallet_id": node.wallet_id, "type": node.type, "role": node.role}
