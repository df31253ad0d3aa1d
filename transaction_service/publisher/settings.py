"""The publisher's configuration, from the environment."""

from pathlib import Path

from pydantic import Field, FilePath

from shared.finance_settings import TopologySettings
from shared.telemetry import TelemetrySettings


class PublisherSettings(TelemetrySettings, TopologySettings):
    publisher_listen: str = Field(default="127.0.0.1:50053", pattern=r"^.+:\d{1,5}$")
    wallet_target: str = Field(min_length=1)
    chart_of_accounts_file: FilePath = Path(__file__).with_name("chart_of_accounts.toml")
