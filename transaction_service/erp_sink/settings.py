"""The sink's configuration, from the environment."""

from pydantic import Field

from shared.finance_settings import DocumentSettings, TopologySettings
from shared.telemetry import TelemetrySettings
from transaction_service.chart_of_accounts import ChartSettings


class SinkSettings(TelemetrySettings, TopologySettings, DocumentSettings, ChartSettings):
    sink_listen: str = Field(default="127.0.0.1:50054", pattern=r"^.+:\d{1,5}$")
