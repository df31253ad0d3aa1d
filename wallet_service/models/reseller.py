"""RESELLER: buys wholesale and sells to its own customers, who stand below it."""

from typing import Literal

from wallet_service.models.model import WalletModel


class Reseller(WalletModel):
    """Resellers may stand in tiers. Each is a customer of its own and pays alone."""

    version: Literal[1] = 1

    def fits_under(self, parent: WalletModel | None) -> bool:
        return parent is None or isinstance(parent, Reseller)
