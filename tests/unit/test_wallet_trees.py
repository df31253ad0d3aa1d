"""Where wallets may stand, who pays for them and which limits hold: the posting rules."""

from collections.abc import Sequence

import pytest

from tests.families import POCKET_MONEY, Family
from wallet_service.decide.policy import Limit
from wallet_service.errors import PARENT_UNFIT, TREE_TOO_DEEP
from wallet_service.models.enterprise import Enterprise
from wallet_service.models.model import Standing, WalletModel
from wallet_service.models.nodes import node_of
from wallet_service.models.personal import Personal
from wallet_service.models.policy import FundingSource, SpendingLimit, SpendingPolicy
from wallet_service.models.reseller import Reseller
from wallet_service.trees import misplaced

PERSON, RESELLER, FAMILY_CHILD = Personal(), Reseller(), Family(member="CHILD")
ENTERPRISE, MERCHANT = Enterprise(role="ENTERPRISE"), Enterprise(role="MERCHANT")
APPLICATION, CHANNEL = Enterprise(role="APPLICATION"), Enterprise(role="CHANNEL")
ANYBODY = [PERSON, RESELLER, FAMILY_CHILD, ENTERPRISE, MERCHANT, APPLICATION, CHANNEL]

PARENTS: list[tuple[WalletModel, list[WalletModel | None]]] = [
    (PERSON, [None, RESELLER]),
    (RESELLER, [None, RESELLER]),
    (ENTERPRISE, [None, RESELLER, ENTERPRISE]),
    (MERCHANT, [None, RESELLER, ENTERPRISE, MERCHANT]),
    (APPLICATION, [None, RESELLER, ENTERPRISE, MERCHANT, APPLICATION]),
    (CHANNEL, [None, RESELLER, ENTERPRISE, MERCHANT, APPLICATION, CHANNEL]),
    (Family(), [None]),
    (FAMILY_CHILD, [Family()]),
]


@pytest.mark.parametrize(("model", "fit"), PARENTS)
def test_each_type_has_its_parents(model: WalletModel, fit: list[WalletModel | None]) -> None:
    """A wallet stands under the parents of its type and role, and under no other."""
    for parent in [None, Family(), *ANYBODY]:
        refusal = misplaced(model, [parent] if parent else [])
        reason = refusal and refusal.reason
        assert reason == (None if parent in fit else PARENT_UNFIT), parent


DEPTHS: list[tuple[WalletModel, Sequence[WalletModel], int, bool]] = [
    (CHANNEL, 7 * [CHANNEL], 1, True),
    (CHANNEL, 8 * [CHANNEL], 1, False),
    (CHANNEL, 5 * [CHANNEL], 3, True),
    (CHANNEL, 5 * [CHANNEL], 4, False),
    (CHANNEL, [*7 * [CHANNEL], *8 * [RESELLER]], 1, True),
    (CHANNEL, [*7 * [CHANNEL], *9 * [RESELLER]], 1, False),
    (RESELLER, 15 * [RESELLER], 1, True),
    (RESELLER, 16 * [RESELLER], 1, False),
    (RESELLER, 7 * [RESELLER], 9, True),
    (RESELLER, 7 * [RESELLER], 10, False),
]


@pytest.mark.parametrize(("model", "above", "height", "fits"), DEPTHS)
def test_trees_have_a_greatest_depth(
    model: WalletModel, above: Sequence[WalletModel], height: int, *, fits: bool
) -> None:
    """At most 8 levels of one customer and 16 in all, what is moved along included."""
    refusal = misplaced(model, above, height)
    assert (refusal is None) == fits
    assert refusal is None or refusal.reason == TREE_TOO_DEEP


def standing(
    wallet_id: int,
    model: WalletModel,
    source: FundingSource = "OWN",
    *limits: SpendingLimit,
    time_zone: str = "UTC",
) -> Standing:
    policy = SpendingPolicy(funding_source=source, limits=limits, time_zone=time_zone)
    return Standing(wallet_id, 3, model, policy)


PAYERS: list[tuple[FundingSource, list[WalletModel], tuple[int, ...], bool]] = [
    ("OWN", [CHANNEL, MERCHANT, ENTERPRISE], (0,), False),
    ("NEAREST_ANCESTOR", [CHANNEL, MERCHANT, ENTERPRISE], (1, 2), False),
    ("OWN_THEN_ANCESTORS", [CHANNEL, MERCHANT, ENTERPRISE], (0, 1, 2), True),
    ("NEAREST_ANCESTOR", [ENTERPRISE], (0,), False),
    ("OWN_THEN_ANCESTORS", [ENTERPRISE], (0,), True),
    ("NEAREST_ANCESTOR", [CHANNEL, MERCHANT, RESELLER, RESELLER], (1,), False),
    ("OWN_THEN_ANCESTORS", [CHANNEL, MERCHANT, RESELLER], (0, 1), True),
    ("NEAREST_ANCESTOR", [ENTERPRISE, RESELLER], (0,), False),
    ("NEAREST_ANCESTOR", [PERSON, RESELLER], (0,), False),
    ("OWN_THEN_ANCESTORS", [RESELLER, RESELLER], (0,), True),
    ("NEAREST_ANCESTOR", [FAMILY_CHILD, Family()], (1,), False),
]


@pytest.mark.parametrize(("source", "models", "payers", "splits"), PAYERS)
def test_who_pays(
    source: FundingSource, models: list[WalletModel], payers: tuple[int, ...], *, splits: bool
) -> None:
    """Wallets of the same customer pay, as the policy of the one that spends says; no reseller."""
    chain = [standing(number, model, source) for number, model in enumerate(models)]
    node = node_of(chain)
    assert (node.payers, node.splits) == (payers, splits)
    assert (node.wallet_id, node.version) == (0, 3)


def test_every_limit_above_a_wallet_holds() -> None:
    """Its own come first, then those above, the nearest first; each in its own wallet's days."""
    stamps = SpendingLimit(asset_code="IDR", limit_minor=1, period="DAY", product_code="STAMP")
    total = SpendingLimit(asset_code="IDR", limit_minor=2, period="MONTH")
    chain = [
        standing(7, CHANNEL, "OWN", stamps, total, time_zone="Asia/Jakarta"),
        standing(5, ENTERPRISE),
        standing(3, RESELLER, "OWN", total),
    ]
    assert node_of(chain).limits == (
        Limit(7, "IDR", "STAMP", "DAY", 1, "Asia/Jakarta"),
        Limit(7, "IDR", "", "MONTH", 2, "Asia/Jakarta"),
        Limit(3, "IDR", "", "MONTH", 2, "UTC"),
    )


def test_a_persons_level_limits_what_is_spent() -> None:
    """Level L1: IDR 2,000,000.00 a transaction, 20,000,000.00 a month; L2 more; none without."""

    def limits(person: Personal) -> list[tuple[str, int]]:
        return [(each.period, each.limit_minor) for each in node_of([standing(1, person)]).limits]

    assert limits(Personal()) == []
    assert limits(Personal(level="L1")) == [("TRANSACTION", 200_000_000), ("MONTH", 2_000_000_000)]
    assert limits(Personal(level="L2")) == [
        ("TRANSACTION", 1_000_000_000),
        ("MONTH", 4_000_000_000),
    ]


def test_a_new_type_brings_its_own_limits() -> None:
    """A type's house limits come before those of the wallet's own policy."""
    own = SpendingLimit(asset_code="ESIGN", limit_minor=1, period="WEEK")
    node = node_of([standing(2, FAMILY_CHILD, "OWN", own), standing(1, Family())])
    assert [each.limit_minor for each in node.limits] == [POCKET_MONEY.limit_minor, 1]
