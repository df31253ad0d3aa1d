"""What the documents say was earned and spent, and what the aggregates say."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

Sums = Counter[tuple[str, ...]]
"""Minor units by day, product, enterprise, merchant, reseller, asset and field."""

_SIGNS = {"REVENUE": -1, "BREAKAGE": -1, "COST": 1, "MARGIN": -1, "TAX": -1}
_PARTS = (
    "product_code",
    "enterprise_wallet_id",
    "merchant_wallet_id",
    "reseller_wallet_id",
)


def documents_sums(documents: Iterable[Any]) -> Sums:
    """Sum the lines of event documents (plain protobuf messages)."""
    sums: Sums = Counter()
    for document in documents:
        fields = document.fields
        day = fields["effective_time"].timestamp_value.ToDatetime().date().isoformat()
        parts = (day, *(fields[name].string_value for name in _PARTS))
        for each in fields["lines"].array_value.values:
            line = each.map_value.fields
            name = line["type"].string_value.removeprefix("LINE_TYPE_")
            if name in _SIGNS:
                key = (*parts, line["asset_code"].string_value, f"{name.lower()}_minor")
                sums[key] += _SIGNS[name] * line["amount_minor"].integer_value
    return _without_zeros(sums)


def aggregates_sums(aggregates: Iterable[Any]) -> Sums:
    """Add up aggregates, whatever they are spread over."""
    sums: Sums = Counter()
    for aggregate in aggregates:
        fields = aggregate.fields
        parts = tuple(
            fields[name].string_value for name in ("effective_date", *_PARTS, "asset_code")
        )
        for name in _SIGNS:
            field = f"{name.lower()}_minor"
            sums[*parts, field] += fields[field].integer_value
    return _without_zeros(sums)


def _without_zeros(sums: Sums) -> Sums:
    return Counter({key: minor for key, minor in sums.items() if minor})
