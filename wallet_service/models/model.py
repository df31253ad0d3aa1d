"""What every wallet type says of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, TypeAlias

from pydantic import BaseModel, ConfigDict, model_validator

from wallet_service.models.policy import SpendingLimit, SpendingPolicy

Values: TypeAlias = Mapping[str, Any]
"""Attributes, or a policy, as JSON has them."""


class WalletModel(BaseModel):
    """A wallet's attributes, as stored, and the posting rule of its type.

    A subclass has a field for each attribute, and `version: Literal[n] = n`. A change of what is
    stored makes it n + 1, and `upgraded` turns the older form into the new one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int

    @classmethod
    def upgraded(cls, values: Values) -> Values:
        """Turn attributes of an older version into the present ones; others stay as they are."""
        return values

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, values: Any) -> Any:
        return cls.upgraded(values) if isinstance(values, Mapping) else values

    def fits_under(self, parent: Optional["WalletModel"]) -> bool:
        """Say whether such a wallet may stand directly under another; None is the top."""
        raise NotImplementedError

    def shares_funds_with(self, parent: "WalletModel") -> bool:
        """Say whether the wallet above is the same customer's, and so may pay for this one."""
        return False

    def required_under(self, parent: Optional["WalletModel"]) -> Sequence[str]:
        """Name the attributes that cannot be left out there."""
        return ()

    def fixed(self) -> Sequence[str]:
        """Name the attributes that never change."""
        return ()

    def role_in_tree(self) -> str:
        """Say what the wallet is within its customer's tree; empty where there are no roles."""
        return ""

    def house_limits(self) -> Sequence[SpendingLimit]:
        """Answer what the house allows such a wallet to spend, besides the wallet's own policy."""
        return ()


@dataclass(frozen=True, slots=True)
class Standing:
    """A wallet as the posting rules see it."""

    wallet_id: int
    version: int
    model: WalletModel
    policy: SpendingPolicy
    state: str = "ACTIVE"
