"""The publisher's configuration, from the environment."""

from pydantic import Field

from shared.finance_settings import TopologySettings
from shared.telemetry import TelemetrySettings
from transaction_service.chart_of_accounts import ChartSettings


class PublisherSettings(TelemetrySettings, TopologySettings, ChartSettings):
    publisher_listen: str = Field(default="127.0.0.1:50053", pattern=r"^.+:\d{1,5}$")
    wallet_target: str = Field(min_length=1)
