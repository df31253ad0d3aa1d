"""A price book as it is published. What makes one good stands in `faults`.

Amounts are in minor units. The values here have the right form only: they may hold anything, so
that all that is wrong with a book can be told at once.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Published(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Asset(_Published):
    """A currency or quota unit that prices are in; `scale` is its number of decimal places."""

    asset_code: str
    kind: Literal["CURRENCY", "QUOTA"] | None = None
    scale: int | None = None


class Tax(_Published):
    """A tax on what the buyer pays: `inclusive` if prices hold it already, else on top of them."""

    tax_code: str
    rate_basis_points: int
    inclusive: bool = False


class Tier(_Published):
    """The price of a unit up to a quantity, and above the tier before; `up_to` 0 is open."""

    up_to: int = 0
    unit_minor: int


class Price(_Published):
    """What a quantity of a product comes to; each kind has fields of its own.

    FLAT: `unit_minor` each. TIERED: each unit at the price of the tier that it falls in. VOLUME:
    all units at the price of the tier that the whole quantity falls in. PACKAGE: `package_minor`
    for each begun `package_quantity` units. Never less than `minimum_fee_minor` for an action.
    """

    kind: Literal["FLAT", "TIERED", "VOLUME", "PACKAGE"] | None = None
    unit_minor: int = 0
    tiers: tuple[Tier, ...] = ()
    package_quantity: int = 0
    package_minor: int = 0
    minimum_fee_minor: int = 0


class VendorCost(_Published):
    """What the house owes a vendor; `cost` is FLAT or TIERED."""

    vendor_code: str
    asset_code: str
    cost: Price


class Product(_Published):
    """What is sold, at `price` in `asset_code` to whom no override names."""

    product_code: str
    asset_code: str
    price: Price
    tax_code: str = ""
    vendor_cost: VendorCost | None = None


class Override(_Published):
    """Another price of a product, in its asset, for some buyers. One of the first three is set.

    `wallet_id`: a wallet. `reseller_wallet_id`: whoever buys directly from that reseller.
    `wallet_type`: all wallets of a type.
    """

    wallet_id: str = ""
    reseller_wallet_id: str = ""
    wallet_type: Literal["PERSONAL", "ENTERPRISE", "RESELLER"] | None = None
    product_code: str
    price: Price


class PriceBook(_Published):
    """One version of all prices; immutable once it is published."""

    version: str
    assets: tuple[Asset, ...] = ()
    taxes: tuple[Tax, ...] = ()
    products: tuple[Product, ...] = ()
    overrides: tuple[Override, ...] = ()
