"""The front door's configuration, from the environment."""

import secrets

from pydantic import Field

from shared.rpc_settings import RpcSettings
from shared.telemetry import TelemetrySettings

_DATABASE_URL = r"^postgres(ql)?://"


class TransactionSettings(RpcSettings):
    transaction_listen: str = Field(default="127.0.0.1:50051", pattern=r"^.+:\d{1,5}$")
    wallet_target: str = Field(pattern=r"^.+:\d{1,5}$")
    redis_url: str = Field(pattern=r"^rediss?://")
    transaction_database_url: str = Field(pattern=_DATABASE_URL)
    transaction_token_secret: str = Field(
        default_factory=lambda: secrets.token_hex(16),
        description="Signs quotes and page tokens. Set the same one on all instances.",
    )


class MigrateSettings(TelemetrySettings):
    transaction_database_url: str = Field(pattern=_DATABASE_URL)
