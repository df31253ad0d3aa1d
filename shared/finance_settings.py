"""Where finance's events, dead letters and documents are, from the environment."""

from dataclasses import dataclass

from pydantic import Field
from pydantic_settings import BaseSettings


class TopologySettings(BaseSettings):
    """Environment that names the topics and subscriptions."""

    google_cloud_project: str = Field(min_length=1)
    pubsub_emulator_host: str = Field(default="", description="Empty means the real service.")
    events_topic: str = "cost-revenue-events"
    events_subscription: str = "cost-revenue-events-erp"
    dead_letter_topic: str = "cost-revenue-events-dead"
    dead_letter_subscription: str = "cost-revenue-events-dead"


class DocumentSettings(BaseSettings):
    """Environment that names the collection of the documents."""

    firestore_emulator_host: str = Field(default="", description="Empty means the real service.")
    firestore_collection: str = Field(default="cost_revenue_events", pattern=r"^[^/]+$")


@dataclass(frozen=True, slots=True)
class Topology:
    """Full resource names (`projects/…/topics/…`)."""

    events_topic: str
    events_subscription: str
    dead_letter_topic: str
    dead_letter_subscription: str


def topology_of(settings: TopologySettings) -> Topology:
    project = f"projects/{settings.google_cloud_project}"
    return Topology(
        events_topic=f"{project}/topics/{settings.events_topic}",
        events_subscription=f"{project}/subscriptions/{settings.events_subscription}",
        dead_letter_topic=f"{project}/topics/{settings.dead_letter_topic}",
        dead_letter_subscription=f"{project}/subscriptions/{settings.dead_letter_subscription}",
    )
