"""The finance event as the sink knows it, free of any wire format. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Reason = Literal[
    "EVENT_TYPE_FOREIGN",
    "EVENT_VERSION_UNKNOWN",
    "EVENT_UNDECODABLE",
    "TRANSACTION_ID_INVALID",
    "FIELD_INVALID",
    "LINES_UNBALANCED",
    "ACCOUNT_CODE_UNKNOWN",
    "DOCUMENT_REFUSED",
]


@dataclass(frozen=True, slots=True)
class Line:
    """One signed line: debits positive, credits negative."""

    type: str
    asset_code: str
    amount_minor: int
    wallet_id: str
    vendor_code: str
    tax_code: str
    account_code: str


@dataclass(frozen=True, slots=True)
class Node:
    """A wallet on a path."""

    wallet_id: str
    type: str
    role: str


@dataclass(frozen=True, slots=True)
class Event:
    """What one transaction cost and earned; enum values by name."""

    transaction_id: str
    kind: str
    wallet_id: str
    product_code: str
    quantity: int
    lines: tuple[Line, ...]
    price_book_version: str
    request_id: str
    reference: str
    booking_id: str
    voids_transaction_id: str
    path: tuple[Node, ...]
    enterprise_wallet_id: str
    merchant_wallet_id: str
    application_wallet_id: str
    channel_wallet_id: str
    reseller_wallet_id: str
    vendor_code: str
    tax_code: str
    seller_wallet_ids: tuple[str, ...]
    created_at: datetime
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """Why something delivered can never become a document."""

    reason: Reason
    detail: str
