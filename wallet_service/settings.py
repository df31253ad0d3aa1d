"""The Wallet service's configuration, from the environment."""

import secrets

from pydantic import Field

from shared.rpc_settings import RpcSettings
from shared.telemetry import TelemetrySettings


class WalletSettings(RpcSettings):
    wallet_listen: str = Field(default="127.0.0.1:50052", pattern=r"^.+:\d{1,5}$")
    wallet_database_url: str = Field(pattern=r"^postgres(ql)?://")
    wallet_posting_connections: int = Field(default=2, ge=1, le=16)
    wallet_reading_connections: int = Field(default=6, ge=1, le=64)
    wallet_house_stripes: int = Field(default=16, ge=1, le=1024)
    wallet_request_retention_days: int = Field(default=400, ge=90)
    wallet_page_token_secret: str = Field(
        default_factory=lambda: secrets.token_hex(16),
        description="Signs page tokens. Set the same one on all instances.",
    )


class MigrateSettings(TelemetrySettings):
    wallet_database_url: str = Field(pattern=r"^postgres(ql)?://")
