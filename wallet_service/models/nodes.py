"""The posting rules of a wallet and those above it, as what the ledger goes by."""

from collections.abc import Sequence
from itertools import pairwise

from wallet_service.decide.policy import Limit, Node
from wallet_service.models.model import Standing, WalletModel


def node_of(chain: Sequence[Standing]) -> Node:
    """Answer what the ledger must know of the first wallet of a chain.

    A chain is a wallet and those above it, the nearest first.
    """
    wallet = chain[0]
    return Node(
        wallet_id=wallet.wallet_id,
        version=wallet.version,
        payers=_payers(chain),
        splits=wallet.policy.funding_source == "OWN_THEN_ANCESTORS",
        limits=tuple(limit for each in chain for limit in _limits(each)),
        state=wallet.state,
    )


def customer_depth(chain: Sequence[WalletModel]) -> int:
    """Say how many wallets of a chain, from its first on, are one customer's."""
    for depth, (lower, upper) in enumerate(pairwise(chain), 1):
        if not lower.shares_funds_with(upper):
            return depth
    return len(chain)


def _payers(chain: Sequence[Standing]) -> tuple[int, ...]:
    depth = customer_depth([each.model for each in chain])
    own, *above = [each.wallet_id for each in chain[:depth]]
    match chain[0].policy.funding_source:
        case "OWN":
            return (own,)
        case "OWN_THEN_ANCESTORS":
            return (own, *above)
        case "NEAREST_ANCESTOR":
            return tuple(above) or (own,)


def _limits(wallet: Standing) -> list[Limit]:
    return [
        Limit(
            wallet.wallet_id,
            each.asset_code,
            each.product_code,
            each.period,
            each.limit_minor,
            wallet.policy.time_zone,
        )
        for each in (*wallet.model.house_limits(), *wallet.policy.limits)
    ]
