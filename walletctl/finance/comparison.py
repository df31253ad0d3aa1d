"""What finance should have been told of an event, and what its document says. Pure.

Amounts are in minor units, debits positive. A line's accounts of the chart, its vendor and its tax
are not compared: the publisher alone knows its chart.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from google.protobuf.message import DecodeError
from privy.erp.v1.event_pb2 import CostRevenueEvent, EventLine, LineType
from privy.wallet.v1.event_log_pb2 import RecordedEvent
from privy.wallet.v1.feed_pb2 import FeedEvent
from privy.wallet.v1.ledger_pb2 import AccountType, TransactionEntry, TransactionKind
from privy.wallet.v1.wallet_pb2 import WalletType

Fields = Mapping[str, Any]

Sums = Counter[tuple[str, str]]
"""(account type, asset code) → signed sum."""

_NEAREST = {
    "enterprise_wallet_id": "ENTERPRISE",
    "merchant_wallet_id": "MERCHANT",
    "application_wallet_id": "APPLICATION",
    "channel_wallet_id": "CHANNEL",
    "reseller_wallet_id": "WALLET_TYPE_RESELLER",
}
_AS_PLANNED = (
    "product_code",
    "quantity",
    "price_book_version",
    "request_id",
    "reference",
    "booking_id",
    "voids_transaction_id",
    "vendor_code",
    "tax_code",
)
FIELDS = (
    "transaction_id",
    "kind",
    "wallet_id",
    *_AS_PLANNED,
    "seller_wallet_ids",
    "path",
    *_NEAREST,
    "create_time",
    "effective_time",
    "lines",
)
"""The fields of a document that are compared."""

_LINE_FIELDS = ("type", "asset_code", "amount_minor", "wallet_id")
_MARGIN = "LINE_TYPE_MARGIN"
_LINE_TYPES = {
    "WALLET": "LINE_TYPE_DEFERRED_REVENUE",
    "FUNDING": "LINE_TYPE_FUNDING",
    "REVENUE": "LINE_TYPE_REVENUE",
    "VENDOR_COST": "LINE_TYPE_COST",
    "VENDOR_PAYABLE": "LINE_TYPE_VENDOR_PAYABLE",
    "BREAKAGE": "LINE_TYPE_BREAKAGE",
    "TAX_PAYABLE": "LINE_TYPE_TAX",
    "EXCHANGE": "LINE_TYPE_EXCHANGE",
}
_ACCOUNT_TYPES = {each: account for account, each in _LINE_TYPES.items()} | {_MARGIN: "WALLET"}


def differing(recorded: RecordedEvent, document: Fields) -> list[str]:
    """Name the fields of an event's document that are not what they should be."""
    expected, told = _expected(recorded), _told(document)
    return [name for name in FIELDS if expected[name] != told.get(name)]


def ledger_sums(event: FeedEvent) -> Sums:
    """Sum what the ledger moved by an event."""
    sums = Sums()
    for entry in event.entries:
        sums[_account_type(entry), entry.amount.asset_code] += entry.amount.minor_units
    return sums


def document_sums(document: Fields) -> Sums:
    """Sum a document's lines, each under the account that its type speaks of.

    An unknown type stands for itself; what is no line counts for nothing.
    """
    sums = Sums()
    lines = document.get("lines")
    for line in lines if isinstance(lines, list) else ():
        match line:
            case {"type": str(name), "asset_code": str(asset_code), "amount_minor": int(minor)}:
                sums[_ACCOUNT_TYPES.get(name, name), asset_code] += minor
    return sums


def _expected(recorded: RecordedEvent) -> Fields:
    """Say what the ledger itself knows, and for the rest what the event was planned to say."""
    event = recorded.event
    planned = _planned(event)
    path = [
        {
            "wallet_id": each.wallet_id,
            "type": _name(WalletType, each.type),
            "role": each.role,
        }
        for each in planned.path
    ]
    nearest = {each["role"] or each["type"]: each["wallet_id"] for each in path}
    return {
        "transaction_id": event.transaction_id,
        "kind": _name(TransactionKind, recorded.kind),
        "wallet_id": event.wallet_id,
        **{name: getattr(planned, name) for name in _AS_PLANNED},
        "seller_wallet_ids": list(planned.seller_wallet_ids),
        "path": path,
        **{name: nearest.get(role) or getattr(planned, name) for name, role in _NEAREST.items()},
        "create_time": event.create_time.ToDatetime(tzinfo=UTC),
        "effective_time": event.effective_time.ToDatetime(tzinfo=UTC),
        "lines": list(_lines(event, planned)),
    }


def _told(document: Fields) -> Fields:
    """Leave out what is not compared of the lines; what is no line stays as it is."""
    lines = document.get("lines")
    if not isinstance(lines, list):
        return document
    return {**document, "lines": [_compared(each) for each in lines]}


def _compared(line: Any) -> Any:
    return {name: line.get(name) for name in _LINE_FIELDS} if isinstance(line, dict) else line


def _planned(event: FeedEvent) -> CostRevenueEvent:
    """Read an event as it was planned; one that cannot be read, and has no document, as empty."""
    planned = CostRevenueEvent()
    try:
        planned.ParseFromString(event.payload)
    except DecodeError:
        return CostRevenueEvent()
    return planned


def _lines(event: FeedEvent, planned: CostRevenueEvent) -> Iterator[Fields]:
    """Say what was moved: by the ledger's entries, or, where it has none, as it was planned."""
    for entry in event.entries:
        margin = entry.wallet_id in planned.seller_wallet_ids
        account_type = _account_type(entry)
        yield _line(_MARGIN if margin else _LINE_TYPES.get(account_type, account_type), entry)
    if not event.entries:
        for line in planned.lines:
            yield _line(_name(LineType, line.type), line)


def _line(name: str, moved: TransactionEntry | EventLine) -> Fields:
    return {
        "type": name,
        "asset_code": moved.amount.asset_code,
        "amount_minor": moved.amount.minor_units,
        "wallet_id": moved.wallet_id,
    }


def _account_type(entry: TransactionEntry) -> str:
    return _name(AccountType, entry.account_type).removeprefix("ACCOUNT_TYPE_")


def _name(enum: Any, number: int) -> str:
    """Name a value of a proto enum; the number where a newer service knows more of them."""
    return str(enum.Name(number)) if number in enum.values() else str(number)
