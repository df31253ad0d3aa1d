"""A wallet type that the product does not have: the worked example of docs/wallet-models.md."""

from collections.abc import Sequence
from typing import Literal

from wallet_service.models.model import Values, WalletModel
from wallet_service.models.policy import SpendingLimit
from wallet_service.models.registry import MODELS, Models

POCKET_MONEY = SpendingLimit(asset_code="IDR", limit_minor=50_000_00, period="DAY")


class Family(WalletModel):
    """A household: children stand below a parent, who pays for them up to their pocket money.

    Version 1 had `is_child` instead of `member`.
    """

    version: Literal[2] = 2
    member: Literal["PARENT", "CHILD"] = "PARENT"

    @classmethod
    def upgraded(cls, values: Values) -> Values:
        if values.get("version") != 1:
            return values
        kept = {name: value for name, value in values.items() if name != "is_child"}
        member = "CHILD" if values.get("is_child") else "PARENT"
        return {**kept, "version": 2, "member": member}

    def fits_under(self, parent: WalletModel | None) -> bool:
        if self.member == "PARENT":
            return parent is None
        return isinstance(parent, Family) and parent.member == "PARENT"

    def shares_funds_with(self, parent: WalletModel) -> bool:
        return isinstance(parent, Family)

    def house_limits(self) -> Sequence[SpendingLimit]:
        return (POCKET_MONEY,) if self.member == "CHILD" else ()


FAMILY_MODELS: Models = {**MODELS, "FAMILY": Family}
