"""The sink's configuration, from the environment."""

from pydantic import Field

from shared.telemetry import TelemetrySettings
from transaction_service.topology import TopologySettings


class SinkSettings(TelemetrySettings, TopologySettings):
    sink_listen: str = Field(default="127.0.0.1:50054", pattern=r"^.+:\d{1,5}$")
    firestore_emulator_host: str = Field(default="", description="Empty means the real service.")
    firestore_collection: str = Field(default="cost_revenue_events", pattern=r"^[^/]+$")
