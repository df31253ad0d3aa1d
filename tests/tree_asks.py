"""A tree of wallets that spend and what is asked of it, in words that know no ids.

One asset, IDR; no credit; every wallet is active. Amounts are minor units.
"""

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

PRODUCTS = ("SIGN", "STAMP")
SOURCES = ("OWN", "NEAREST_ANCESTOR", "OWN_THEN_ANCESTORS", "OWN_THEN_ANCESTORS")
ZONES = ("UTC", "Asia/Jakarta", "Pacific/Kiritimati")


class Limit(NamedTuple):
    """For a TRANSACTION, a DAY or a MONTH; an empty product stands for every one."""

    period: str
    minor: int
    product: str = ""


class Node(NamedTuple):
    """A wallet's place in the tree, and its policy; its type is RESELLER or ENTERPRISE."""

    type: str
    parent: str
    source: str = "OWN"
    limits: Sequence[Limit] = ()
    zone: str = "UTC"


Tree = Mapping[str, Node]
"""Nodes by their names, parents before their children."""


class Act(NamedTuple):
    """A USAGE or BOOKING; a COMMIT or CANCELLATION of a booking, or a VOID of what was paid.

    `of` names what it is about. Of that it takes all that is left where `minor` is 0.
    """

    name: str
    kind: str
    wallet: str
    minor: int = 0
    product: str = ""
    of: str = ""


Shares = dict[str, int]
"""How much is on each of several wallets, in the order in which they pay."""


def random_tree(chance: random.Random, size: int, depth: int, scale: int) -> Tree:
    """Grow a tree below one reseller; a node's limits are larger the more stand below it.

    `scale` is about what a node without children may spend in a month.
    """
    parents, levels = {"n0": ""}, {"n0": 1}
    for i in range(1, size):
        above = chance.choice([each for each, level in levels.items() if level < depth])
        parents[f"n{i}"], levels[f"n{i}"] = above, levels[above] + 1
    below = dict.fromkeys(parents, 1)
    for name in reversed(parents):
        if parents[name]:
            below[parents[name]] += below[name]
    return {
        name: _random_node(chance, parents[name], scale * round(below[name] ** 0.8))
        for name in parents
    }


def _random_node(chance: random.Random, parent: str, scale: int) -> Node:
    """Take a node with at least one limit for all, and perhaps some for a product."""
    amounts = {"TRANSACTION": scale // 2, "DAY": scale * 3 // 4, "MONTH": scale}
    wanted = {(chance.choice(list(amounts)), "") for _ in range(2)}
    wanted |= {(chance.choice(list(amounts)), chance.choice(PRODUCTS)) for _ in range(2)}
    limits = [
        Limit(period, chance.randint(amounts[period] // 2 + 1, amounts[period] + 1), product)
        for period, product in sorted(wanted)
    ]
    of_type = "ENTERPRISE" if parent else "RESELLER"
    return Node(of_type, parent, chance.choice(SOURCES), limits, chance.choice(ZONES))
