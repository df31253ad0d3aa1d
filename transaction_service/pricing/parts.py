"""What a part of a booking comes to. However it is divided, the parts make the whole."""

from dataclasses import dataclass

from shared.errors import invalid
from transaction_service.domain import MAX_AMOUNT_MINOR, Amount, Charge, Margin


def part(charge: Charge, quantity_before: int, quantity: int) -> Charge:
    """Answer what committing `quantity` units comes to after `quantity_before` of those booked.

    Tax, margins, revenue and cost are each the proportion of all that was committed after it,
    rounded down, less that of all before it. The price is the sum of the first three: so it is
    never negative, and each part adds up. Shares that come to nothing are left out.

    Raises `InvalidArgument` where the quantity comes to less than a minor unit (all that is left
    never does), or to more than 10^17.
    """
    stretch = _Stretch(quantity_before, quantity_before + quantity, charge.quantity)
    tax = _share_or_none(charge.tax, stretch)
    revenue = _share(charge.revenue, stretch)
    margins = tuple(
        Margin(each.wallet_id, minor_units)
        for each in charge.margins
        if (minor_units := stretch.share_minor(each.minor_units))
    )
    price_minor = revenue.minor_units + sum(each.minor_units for each in margins)
    price_minor += tax.minor_units if tax else 0
    return charge._replace(
        quantity=quantity,
        price=_price(charge.price.asset_code, price_minor),
        cost=_share_or_none(charge.cost, stretch),
        tax=tax,
        tax_code=charge.tax_code if tax else "",
        revenue=revenue,
        margins=margins,
    )


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The units from `before` to `after`, of `whole`."""

    before: int
    after: int
    whole: int

    def share_minor(self, minor_units: int) -> int:
        taken_before = minor_units * self.before // self.whole
        return minor_units * self.after // self.whole - taken_before


def _share(amount: Amount, stretch: _Stretch) -> Amount:
    minor_units = stretch.share_minor(amount.minor_units)
    return Amount(asset_code=amount.asset_code, minor_units=_limited(minor_units))


def _share_or_none(amount: Amount | None, stretch: _Stretch) -> Amount | None:
    share = _share(amount, stretch) if amount else None
    return share if share and share.minor_units else None


def _price(asset_code: str, minor_units: int) -> Amount:
    if not minor_units:
        raise invalid("quantity", "comes to less than one minor unit: commit more at once")
    return Amount(asset_code=asset_code, minor_units=_limited(minor_units))


def _limited(minor_units: int) -> int:
    if minor_units > MAX_AMOUNT_MINOR:
        raise invalid("quantity", f"makes an amount above {MAX_AMOUNT_MINOR} minor units")
    return minor_units
