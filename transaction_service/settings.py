"""The front door's configuration, from the environment."""

from pathlib import Path

from pydantic import Field, FilePath

from shared.telemetry import TelemetrySettings


class TransactionSettings(TelemetrySettings):
    transaction_listen: str = Field(default="127.0.0.1:50051", pattern=r"^.+:\d{1,5}$")
    wallet_target: str = Field(pattern=r"^.+:\d{1,5}$")
    redis_url: str = Field(pattern=r"^rediss?://")
    price_book_file: FilePath = Path(__file__).parents[1] / "examples" / "price_book.toml"
