"""Wallets themselves: requests as values of the domain, and values as answers."""

from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from privy.wallet.v1 import wallet_pb2

from shared.enums import enum_names
from shared.errors import FieldViolation, InvalidArgument, invalid
from shared.fields import checked_text
from wallet_service import ids
from wallet_service.decide.policy import Limit
from wallet_service.drafts import NewWallet, WalletUpdate, model_of
from wallet_service.models.model import Values
from wallet_service.models.policy import SpendingLimit, SpendingPolicy
from wallet_service.models.registry import MODELS
from wallet_service.spending import Spent
from wallet_service.store.wallets import Above, Wallet
from wallet_service.wire.answers import timestamp
from wallet_service.wire.fields import MAX_REQUEST_ID, enum_name

MAX_DISPLAY_NAME = 200
MAX_WALLETS = 1000

_TYPES = enum_names(wallet_pb2.WalletType, "WALLET_TYPE_")
_SOURCES = enum_names(wallet_pb2.FundingSource, "FUNDING_SOURCE_")
_PERIODS = enum_names(wallet_pb2.LimitPeriod, "LIMIT_PERIOD_")
_ASSIGNED = ("wallet_id", "state", "version", "path")


def new_wallet_of(wallet: wallet_pb2.Wallet) -> NewWallet:
    """Read a wallet to be created; what its model knows better is not checked here."""
    faults = [
        FieldViolation(f"wallet.{name}", "is assigned by the service")
        for name in _ASSIGNED
        if getattr(wallet, name)
    ]
    if faults:
        raise InvalidArgument("FIELD_INVALID", *faults)
    return NewWallet(
        enum_name(_TYPES, wallet.type, "wallet.type"),
        checked_text(wallet.display_name, "wallet.display_name", 1, MAX_DISPLAY_NAME),
        parent_of(wallet.parent_wallet_id),
        _attributes_of(wallet.attributes, "wallet.attributes"),
        _policy_of(wallet.policy),
    )


def update_of(message: wallet_pb2.UpdateWalletRequest) -> WalletUpdate:
    attributes, policy = message.HasField("attributes"), message.HasField("policy")
    if not (message.display_name or attributes or policy):
        raise invalid("display_name", "or attributes, or policy, must be set")
    return WalletUpdate(
        checked_text(message.display_name, "display_name", 0, MAX_DISPLAY_NAME),
        _attributes_of(message.attributes, "attributes") if attributes else None,
        _policy_of(message.policy) if policy else None,
    )


def parent_of(wallet_id: str) -> int | None:
    return ids.wallet_number(wallet_id) if wallet_id else None


def wallet_ids_of(message: wallet_pb2.BatchGetWalletsRequest) -> list[int]:
    """Read ids; one that is malformed names no wallet."""
    if len(message.wallet_ids) > MAX_WALLETS:
        raise invalid("wallet_ids", f"must be at most {MAX_WALLETS}")
    for index, each in enumerate(message.wallet_ids):
        checked_text(each, f"wallet_ids[{index}]", 1, MAX_REQUEST_ID)
    return [ids.wallet_number(each) for each in message.wallet_ids]


def _attributes_of(attributes: Struct, path: str) -> Values:
    try:
        values: dict[str, Any] = json_format.MessageToDict(attributes)
    except ValueError:
        raise invalid(path, "must hold finite numbers only") from None
    return values


def _policy_of(policy: wallet_pb2.SpendingPolicy) -> Values:
    unset = policy.funding_source == wallet_pb2.FUNDING_SOURCE_UNSPECIFIED
    return {
        "funding_source": "OWN" if unset else _SOURCES.get(policy.funding_source),
        "limits": [_limit_of(each) for each in policy.limits],
        "time_zone": policy.time_zone or "UTC",
    }


def _limit_of(limit: wallet_pb2.SpendingLimit) -> Values:
    return {
        "asset_code": limit.asset_code,
        "limit_minor": limit.limit_minor,
        "period": _PERIODS.get(limit.period),
        "product_code": limit.product_code,
    }


def wallet_out(wallet: Wallet) -> wallet_pb2.Wallet:
    """Tell a wallet, with attributes in the present form, whatever version they were written in."""
    attributes = model_of(MODELS, wallet).model_dump(exclude={"version"}, exclude_none=True)
    policy = SpendingPolicy.model_validate(wallet.policy)
    return wallet_pb2.Wallet(
        wallet_id=ids.wallet_text(wallet.wallet_id) if wallet.wallet_id else "",
        type=wallet_pb2.WalletType.Value(f"WALLET_TYPE_{wallet.wallet_type}"),
        display_name=wallet.display_name,
        parent_wallet_id=ids.wallet_text(wallet.parent_wallet_id)
        if wallet.parent_wallet_id
        else "",
        state=wallet_pb2.WalletState.Value(f"WALLET_STATE_{wallet.state}"),
        version=wallet.version,
        create_time=timestamp(wallet.created_at) if wallet.created_at else None,
        attributes=json_format.ParseDict(attributes, Struct()) if attributes else None,
        policy=_policy_out(policy) if policy != SpendingPolicy() else None,
        path=[_path_node_out(each) for each in reversed(wallet.above)],
    )


def whole_path_out(wallet: Wallet) -> list[wallet_pb2.PathNode]:
    """Tell the wallets above one, the topmost first, then itself."""
    return [*map(_path_node_out, reversed(wallet.above)), _path_node_out(wallet)]


def _path_node_out(wallet: Above | Wallet) -> wallet_pb2.PathNode:
    return wallet_pb2.PathNode(
        wallet_id=ids.wallet_text(wallet.wallet_id),
        type=wallet_pb2.WalletType.Value(f"WALLET_TYPE_{wallet.wallet_type}"),
        role=model_of(MODELS, wallet).role_in_tree(),
    )


def _policy_out(policy: SpendingPolicy) -> wallet_pb2.SpendingPolicy:
    return wallet_pb2.SpendingPolicy(
        funding_source=wallet_pb2.FundingSource.Value(f"FUNDING_SOURCE_{policy.funding_source}"),
        limits=[_limit_out(each) for each in policy.limits],
        time_zone=policy.time_zone,
    )


def spending_out(spent: Spent) -> wallet_pb2.Spending:
    return wallet_pb2.Spending(
        wallet_id=ids.wallet_text(spent.limit.wallet_id),
        limit=_limit_out(spent.limit),
        spent_minor=spent.spent_minor,
        start_time=timestamp(spent.starts_at) if spent.starts_at else None,
    )


def _limit_out(limit: SpendingLimit | Limit) -> wallet_pb2.SpendingLimit:
    return wallet_pb2.SpendingLimit(
        asset_code=limit.asset_code,
        limit_minor=limit.limit_minor,
        period=wallet_pb2.LimitPeriod.Value(f"LIMIT_PERIOD_{limit.period}"),
        product_code=limit.product_code,
    )
