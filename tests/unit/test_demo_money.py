"""Amounts as the demo writes them."""

import pytest

from devstack.demo.money import money


@pytest.mark.parametrize(
    ("asset_code", "amount_minor", "text"),
    [
        ("IDR", 0, "Rp 0.00"),
        ("IDR", 5, "Rp 0.05"),
        ("IDR", 500_000, "Rp 5,000.00"),
        ("IDR", -1_234_567_89, "-Rp 1,234,567.89"),
        ("IDR", 10**17 + 1, "Rp 1,000,000,000,000,000.01"),
        ("USD", -1, "-US$ 0.01"),
        ("JPY", 1_500, "JP¥ 1,500"),
        ("ESIGN", 1_000, "1,000 ESIGN"),
        ("ESIGN", -8, "-8 ESIGN"),
    ],
)
def test_an_amount_is_written_in_its_own_scale(
    asset_code: str, amount_minor: int, text: str
) -> None:
    """Sign first, thousands apart, as many decimals as the currency has, and no rounding."""
    assert money(asset_code, amount_minor) == text
