"""Wallets as they are about to be stored: checked by their models, and in the present form."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shared.errors import FieldViolation
from wallet_service.errors import Refusal
from wallet_service.models.checking import (
    faults_of,
    fixed_faults,
    missing_faults,
    refuse,
    with_fixed,
)
from wallet_service.models.model import Values, WalletModel
from wallet_service.models.policy import SpendingPolicy
from wallet_service.models.registry import Models
from wallet_service.store.wallets import Above, Wallet
from wallet_service.trees import misplaced


@dataclass(frozen=True, slots=True)
class NewWallet:
    """What a caller asks for; attributes and policy are not checked yet."""

    wallet_type: str
    display_name: str
    parent_wallet_id: int | None = None
    attributes: Values = field(default_factory=dict)
    policy: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WalletUpdate:
    """What is to replace a wallet's own; a name that is empty and what is None do not."""

    display_name: str = ""
    attributes: Values | None = None
    policy: Values | None = None


def new_wallet_faults(models: Models, new: NewWallet) -> list[FieldViolation]:
    return [
        *faults_of(models[new.wallet_type], new.attributes, "wallet.attributes"),
        *faults_of(SpendingPolicy, new.policy, "wallet.policy"),
    ]


def update_faults(
    models: Models, wallet: Wallet | None, update: WalletUpdate
) -> list[FieldViolation]:
    """Say what is at fault; of attributes nothing can be said where there is no such wallet."""
    faults = faults_of(SpendingPolicy, update.policy or {}, "policy")
    if wallet and update.attributes is not None:
        present, path = model_of(models, wallet), "attributes"
        faults += faults_of(type(present), update.attributes, path) or fixed_faults(
            present, update.attributes, path
        )
    return faults


def asset_faults(policy: Values, assets: frozenset[str], path: str) -> list[FieldViolation]:
    """Say which limits of a sound policy are in an asset that is not registered."""
    return [
        FieldViolation(f"{path}.limits[{index}].asset_code", "is not registered")
        for index, limit in enumerate(SpendingPolicy.model_validate(policy).limits)
        if limit.asset_code not in assets
    ]


def drafted(models: Models, new: NewWallet, parent: Wallet | None) -> Wallet | Refusal:
    """Write a new, sound wallet down as it will be stored under a parent.

    Raises `InvalidArgument` where the parent asks for an attribute that was left out.
    """
    model, above = models[new.wallet_type].model_validate(new.attributes), chain_of(models, parent)
    refuse(missing_faults(model, above[0] if above else None, "wallet.attributes"))
    return misplaced(model, above) or Wallet(
        wallet_id=0,
        wallet_type=new.wallet_type,
        display_name=new.display_name,
        parent_wallet_id=new.parent_wallet_id,
        state="ACTIVE",
        version=1,
        created_at=None,
        attributes=_dumped(model),
        policy=_policy(new.policy),
        above=_placed(parent),
    )


def updated(models: Models, wallet: Wallet, update: WalletUpdate) -> Wallet:
    """Write a wallet down with a sound update."""
    present = model_of(models, wallet)
    if update.attributes is not None:
        present = type(present).model_validate(with_fixed(present, update.attributes))
    return replace(
        wallet,
        display_name=update.display_name or wallet.display_name,
        attributes=_dumped(present),
        policy=wallet.policy if update.policy is None else _policy(update.policy),
    )


def model_of(models: Models, wallet: Wallet | Above) -> WalletModel:
    return models[wallet.wallet_type].model_validate(wallet.attributes)


def chain_of(models: Models, wallet: Wallet | None) -> Sequence[WalletModel]:
    """Answer the models of a wallet and those above it, the nearest first."""
    return [model_of(models, each) for each in _placed(wallet)]


def _placed(parent: Wallet | None) -> tuple[Above, ...]:
    if parent is None:
        return ()
    return Above(parent.wallet_id, parent.wallet_type, parent.attributes), *parent.above


def _dumped(model: WalletModel) -> Values:
    return model.model_dump(mode="json", exclude_none=True)


def _policy(policy: Values) -> Values:
    return SpendingPolicy.model_validate(policy).model_dump(mode="json")
