"""Amounts as people write them. Pure, and exact: integers in, text out."""

from collections.abc import Mapping

# The sign and the scale (digits of the minor unit) of each currency.
_CURRENCIES: Mapping[str, tuple[str, int]] = {
    "IDR": ("Rp", 2),
    "JPY": ("JP¥", 0),
    "SGD": ("S$", 2),
    "USD": ("US$", 2),
}


def money(asset_code: str, amount_minor: int) -> str:
    """Write an amount out: `Rp 5,000.00`, or `8 ESIGN` for what is no currency."""
    if asset_code not in _CURRENCIES:
        return f"{amount_minor:,} {asset_code}"
    sign, scale = _CURRENCIES[asset_code]
    whole, fraction = divmod(abs(amount_minor), 10**scale)
    decimals = f".{fraction:0{scale}}" if scale else ""
    return f"{'-' if amount_minor < 0 else ''}{sign} {whole:,}{decimals}"
