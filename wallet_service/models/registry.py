"""The wallet types that there are, by name."""

from collections.abc import Mapping
from typing import TypeAlias

from wallet_service.models.enterprise import Enterprise
from wallet_service.models.model import WalletModel
from wallet_service.models.personal import Personal
from wallet_service.models.reseller import Reseller

Models: TypeAlias = Mapping[str, type[WalletModel]]

MODELS: Models = {
    "PERSONAL": Personal,
    "ENTERPRISE": Enterprise,
    "RESELLER": Reseller,
}
