"""Where finance's events, dead letters and documents are, from the environment."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings


class TopologySettings(BaseSettings):
    """Environment that names the topics and subscriptions."""

    google_cloud_project: str = Field(min_length=1)
    pubsub_emulator_host: str = Field(default="", description="Empty means the real service.")
    events_topic: str = "cost-revenue-events"
    events_subscription: str = "cost-revenue-events-erp"
    dead_letter_topic: str = "cost-revenue-events-dead"
    dead_letter_subscription: str = "cost-revenue-events-dead"


def _collection(name: str) -> str:
    if not re.fullmatch(r"[^/]+", name):
        raise ValueError("a collection has a name, without a slash")
    if re.fullmatch(r"\.|\.\.|__.*__", name):
        raise ValueError("Firestore keeps such names for itself")
    return name


class DocumentSettings(BaseSettings):
    """Environment that names the collection of the documents."""

    firestore_emulator_host: str = Field(default="", description="Empty means the real service.")
    firestore_collection: Annotated[str, AfterValidator(_collection)] = "cost_revenue_events"

    @property
    def aggregates_collection(self) -> str:
        """Name the collection of the aggregates over the documents of that one."""
        return f"{self.firestore_collection}_profit_and_loss"


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
