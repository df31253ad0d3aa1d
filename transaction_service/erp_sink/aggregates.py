"""What an event adds to profit and loss. Pure.

An aggregate sums what counts on one day for one product, enterprise, merchant, reseller and asset.
Its amounts are in minor units, and positive where finance expects them to be: revenue and breakage
earned, cost spent, margin earned by resellers, tax owed. What is taken back has the other sign.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import NamedTuple

from transaction_service.erp_sink.event import Event

SHARDS = 32
"""Over how many documents an aggregate may be spread: more than there are writers, or they meet."""

FIELDS = ("revenue_minor", "breakage_minor", "cost_minor", "margin_minor", "tax_minor")

# The field of each type of line, and the sign that makes it positive: most are credits.
_SUMMED = {
    "LINE_TYPE_REVENUE": ("revenue_minor", -1),
    "LINE_TYPE_BREAKAGE": ("breakage_minor", -1),
    "LINE_TYPE_COST": ("cost_minor", 1),
    "LINE_TYPE_MARGIN": ("margin_minor", -1),
    "LINE_TYPE_TAX": ("tax_minor", -1),
}


class Key(NamedTuple):
    """What one aggregate is about; a wallet, or the product, is empty where there is none."""

    effective_date: str
    """A day of UTC, such as 2026-01-31."""
    product_code: str
    enterprise_wallet_id: str
    merchant_wallet_id: str
    reseller_wallet_id: str
    asset_code: str


Additions = Mapping[Key, Mapping[str, int]]
"""What is added to the fields of each aggregate; fields that are not named stay."""


def additions_of(event: Event) -> Additions:
    """Answer what `event` adds: nothing, where it has no line that profit and loss knows."""
    additions: dict[Key, Counter[str]] = {}
    for line in event.lines:
        if line.type in _SUMMED:
            field, sign = _SUMMED[line.type]
            added = additions.setdefault(_key(event, line.asset_code), Counter())
            added[field] += sign * line.amount_minor
    return additions


def total_of(parts: Iterable[Additions]) -> Additions:
    """Sum what many events add, so that each aggregate is written once."""
    total: dict[Key, Counter[str]] = {}
    for additions in parts:
        for key, added in additions.items():
            total.setdefault(key, Counter()).update(added)
    return total


def id_of(key: Key, shard: int) -> str:
    """Answer the id of an aggregate's document: the same length whatever is in the key.

    Ids that began with the day would all be neighbours, which Firestore keeps on one server.
    """
    return hashlib.sha256(json.dumps([*key, shard]).encode()).hexdigest()


def _key(event: Event, asset_code: str) -> Key:
    return Key(
        effective_date=event.effective_at.astimezone(UTC).date().isoformat(),
        product_code=event.product_code,
        enterprise_wallet_id=event.enterprise_wallet_id,
        merchant_wallet_id=event.merchant_wallet_id,
        reseller_wallet_id=event.reseller_wallet_id,
        asset_code=asset_code,
    )
