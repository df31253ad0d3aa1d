"""What a quantity comes to at a price, before tax. Exact: nothing is rounded."""

from transaction_service.pricing.price_book import Price, Tier


def total_minor(price: Price, quantity: int) -> int:
    """Answer what `quantity` units (1 or more) come to, in minor units."""
    total = _without_minimum(price, quantity)
    return max(total, price.minimum_fee_minor)


def unit_minor(price: Price, quantity: int) -> int | None:
    """Answer the price of one unit where every one of them has the same; else None."""
    match price.kind:
        case "FLAT":
            unit = price.unit_minor
        case "VOLUME":
            unit = _tier_of(price.tiers, quantity).unit_minor
        case _:
            return None
    return unit if unit * quantity >= price.minimum_fee_minor else None


def _without_minimum(price: Price, quantity: int) -> int:
    match price.kind:
        case "FLAT":
            return price.unit_minor * quantity
        case "TIERED":
            return _graduated_minor(price.tiers, quantity)
        case "VOLUME":
            return _tier_of(price.tiers, quantity).unit_minor * quantity
        case _:
            started = -(-quantity // price.package_quantity)
            return started * price.package_minor


def _graduated_minor(tiers: tuple[Tier, ...], quantity: int) -> int:
    """Sum each tier's units at its price, from the first unit on."""
    total, below = 0, 0
    for tier in tiers:
        end = min(tier.up_to or quantity, quantity)
        total += (end - below) * tier.unit_minor
        below = end
    return total


def _tier_of(tiers: tuple[Tier, ...], quantity: int) -> Tier:
    return next(tier for tier in tiers if quantity <= tier.up_to or not tier.up_to)
