"""Tax on the total of an action, rounded half up to minor units."""

from transaction_service.pricing.price_book import Tax

WHOLE_BASIS_POINTS = 10_000


def net_minor(listed_minor: int, tax: Tax | None) -> int:
    """Answer what is left of a listed price without the tax that it holds."""
    if tax is None or not tax.inclusive:
        return listed_minor
    return _half_up(listed_minor * WHOLE_BASIS_POINTS, WHOLE_BASIS_POINTS + tax.rate_basis_points)


def tax_minor(listed_minor: int, tax: Tax | None) -> int:
    """Answer the tax in a listed price, or on top of it."""
    if tax is None:
        return 0
    if tax.inclusive:
        return listed_minor - net_minor(listed_minor, tax)
    return _half_up(listed_minor * tax.rate_basis_points, WHOLE_BASIS_POINTS)


def _half_up(numerator: int, denominator: int) -> int:
    """Divide what is not negative; a half is rounded up, which is away from zero."""
    return (2 * numerator + denominator) // (2 * denominator)
