"""Where a wallet may stand. Pure."""

from collections.abc import Sequence

from wallet_service.errors import PARENT_UNFIT, TREE_TOO_DEEP, Refusal
from wallet_service.models.model import WalletModel
from wallet_service.models.nodes import customer_depth

MAX_PATH = 16
"""Wallets from the topmost down to the lowest."""

MAX_CUSTOMER_DEPTH = 8
"""Those of them that are one customer's, such as an enterprise's nodes."""


def misplaced(model: WalletModel, above: Sequence[WalletModel], height: int = 1) -> Refusal | None:
    """Say why a wallet may not stand below others, the nearest first; None where it may.

    `height` is that of the tree that it brings along, itself included.
    """
    if not model.fits_under(above[0] if above else None):
        return parent_unfit("no wallet of this type and role may stand there")
    depth = customer_depth([model, *above]) - 1
    if len(above) + height > MAX_PATH:
        return _too_deep("wallets below one another", len(above) + height, MAX_PATH)
    if depth and depth + height > MAX_CUSTOMER_DEPTH:
        return _too_deep("levels of one customer", depth + height, MAX_CUSTOMER_DEPTH)
    return None


def parent_unfit(message: str) -> Refusal:
    return Refusal(PARENT_UNFIT, message)


def _too_deep(what: str, depth: int, limit: int) -> Refusal:
    return Refusal(
        TREE_TOO_DEEP,
        f"there would be {depth} {what}, and {limit} are the most",
        {"depth": str(depth), "limit": str(limit)},
    )
