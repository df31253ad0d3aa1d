"""Wallets over the wire: what is asked becomes values, what is stored becomes messages."""

import math
from datetime import UTC, datetime

import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct
from privy.wallet.v1 import wallet_pb2 as pb

from shared.errors import InvalidArgument
from wallet_service.drafts import NewWallet, WalletUpdate
from wallet_service.models.checking import faults_of
from wallet_service.models.policy import SpendingPolicy
from wallet_service.store.wallets import Above, Wallet
from wallet_service.wire import wallets as wire

LIMIT = pb.SpendingLimit(asset_code="IDR", limit_minor=5, period=pb.LIMIT_PERIOD_DAY)
LIMIT_VALUES = {"asset_code": "IDR", "limit_minor": 5, "period": "DAY", "product_code": ""}


def struct(**values: object) -> Struct:
    return ParseDict(values, Struct())


def test_a_new_wallet_is_read() -> None:
    """Enums lose their prefix, what is unset has its default."""
    wallet = pb.Wallet(
        type=pb.WALLET_TYPE_ENTERPRISE,
        display_name="shop",
        parent_wallet_id="wal_1001",
        attributes=struct(role="MERCHANT"),
        policy=pb.SpendingPolicy(limits=[LIMIT]),
    )
    policy = {"funding_source": "OWN", "limits": [LIMIT_VALUES], "time_zone": "UTC"}
    read = wire.new_wallet_of(wallet)
    assert read == NewWallet("ENTERPRISE", "shop", 1001, {"role": "MERCHANT"}, policy)


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (pb.SpendingPolicy(funding_source=9), "policy.funding_source"),  # type: ignore[arg-type]
        (pb.SpendingPolicy(limits=[pb.SpendingLimit(asset_code="IDR")]), "policy.limits[0].period"),
        (pb.SpendingPolicy(time_zone="Mars"), "policy.time_zone"),
    ],
)
def test_what_no_policy_may_say_is_named(policy: pb.SpendingPolicy, field: str) -> None:
    """Unknown values survive the wire as such, and are named by their paths."""
    update = wire.update_of(pb.UpdateWalletRequest(policy=policy))
    assert [each.field for each in faults_of(SpendingPolicy, update.policy or {}, "policy")] == [
        field
    ]


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (pb.UpdateWalletRequest(), "display_name"),
        (pb.UpdateWalletRequest(display_name="x" * 201), "display_name"),
        (pb.UpdateWalletRequest(attributes=struct(), display_name="\0"), "display_name"),
        (pb.UpdateWalletRequest(attributes=struct(n=math.inf)), "attributes"),
    ],
)
def test_an_update_that_says_nothing_sound_is_refused(
    message: pb.UpdateWalletRequest, field: str
) -> None:
    """Something must be set, and be right; the field at fault is named."""
    with pytest.raises(InvalidArgument) as refused:
        wire.update_of(message)
    assert [each.field for each in refused.value.violations] == [field]


def test_an_update_leaves_what_it_does_not_set() -> None:
    """Empty attributes are attributes, unset ones are none."""
    read = wire.update_of(pb.UpdateWalletRequest(attributes=struct()))
    assert read == WalletUpdate("", {}, None)


def test_too_many_wallets_at_once_are_refused() -> None:
    """At most 1,000 ids; a malformed one names no wallet."""
    assert wire.wallet_ids_of(pb.BatchGetWalletsRequest(wallet_ids=["wal_7", "x"])) == [7, -1]
    with pytest.raises(InvalidArgument):
        wire.wallet_ids_of(pb.BatchGetWalletsRequest(wallet_ids=1001 * ["wal_7"]))


def test_a_wallet_is_told_with_its_path() -> None:
    """The topmost first, each with its role; the version of attributes stays inside."""
    wallet = Wallet(
        wallet_id=9,
        wallet_type="ENTERPRISE",
        display_name="till",
        parent_wallet_id=8,
        state="ACTIVE",
        version=4,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        attributes={"version": 1, "role": "CHANNEL"},
        policy={"limits": [LIMIT_VALUES]},
        above=(
            Above(8, "ENTERPRISE", {"version": 1, "role": "MERCHANT"}),
            Above(7, "RESELLER", {"version": 1}),
        ),
    )
    told = wire.wallet_out(wallet)
    assert dict(told.attributes) == {"role": "CHANNEL"}
    own = pb.FUNDING_SOURCE_OWN
    assert told.policy == pb.SpendingPolicy(funding_source=own, limits=[LIMIT], time_zone="UTC")
    assert list(told.path) == [
        pb.PathNode(wallet_id="wal_7", type=pb.WALLET_TYPE_RESELLER),
        pb.PathNode(wallet_id="wal_8", type=pb.WALLET_TYPE_ENTERPRISE, role="MERCHANT"),
    ]
