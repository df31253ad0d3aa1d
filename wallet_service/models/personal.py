"""PERSONAL: one person, who pays alone, at most as much as the person's level allows."""

from collections.abc import Mapping, Sequence
from typing import Literal

from wallet_service.models.model import WalletModel
from wallet_service.models.policy import SpendingLimit
from wallet_service.models.reseller import Reseller

Level = Literal["L1", "L2"]


class Personal(WalletModel):
    """Someone who was given no level is held to no level's limits."""

    version: Literal[1] = 1
    level: Level | None = None

    def fits_under(self, parent: WalletModel | None) -> bool:
        return parent is None or isinstance(parent, Reseller)

    def house_limits(self) -> Sequence[SpendingLimit]:
        return LEVEL_LIMITS[self.level] if self.level else ()


def _rupiah(transaction: int, month: int) -> tuple[SpendingLimit, ...]:
    return (
        SpendingLimit(asset_code="IDR", limit_minor=transaction * 100, period="TRANSACTION"),
        SpendingLimit(asset_code="IDR", limit_minor=month * 100, period="MONTH"),
    )


LEVEL_LIMITS: Mapping[Level, tuple[SpendingLimit, ...]] = {
    "L1": _rupiah(transaction=2_000_000, month=20_000_000),
    "L2": _rupiah(transaction=10_000_000, month=40_000_000),
}
