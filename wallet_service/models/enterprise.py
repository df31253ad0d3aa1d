"""ENTERPRISE: a node of an enterprise's tree, all of whose nodes are one customer."""

from collections.abc import Sequence
from typing import Literal, get_args

from wallet_service.models.model import WalletModel
from wallet_service.models.reseller import Reseller

Role = Literal["ENTERPRISE", "MERCHANT", "APPLICATION", "CHANNEL"]
"""From the top down."""


class Enterprise(WalletModel):
    """A node stands under one of its own role or a higher one: levels may be left out, or repeated.

    Its role is fixed, so that what stands below it always fits.
    """

    version: Literal[1] = 1
    role: Role = "ENTERPRISE"

    def fits_under(self, parent: WalletModel | None) -> bool:
        if isinstance(parent, Enterprise):
            return _rank(parent.role) <= _rank(self.role)
        return parent is None or isinstance(parent, Reseller)

    def required_under(self, parent: WalletModel | None) -> Sequence[str]:
        return ("role",) if isinstance(parent, Enterprise) else ()

    def fixed(self) -> Sequence[str]:
        return ("role",)

    def role_in_tree(self) -> str:
        return self.role

    def shares_funds_with(self, parent: WalletModel) -> bool:
        return isinstance(parent, Enterprise)


def _rank(role: Role) -> int:
    return get_args(Role).index(role)
