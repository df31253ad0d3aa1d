"""Opens what the environment names: the dead letters, the documents, the audit trail."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click
import grpc
from google.api_core.exceptions import (
    DeadlineExceeded,
    GoogleAPIError,
    RetryError,
    ServiceUnavailable,
)
from google.cloud import firestore
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from shared.finance_settings import topology_of
from walletctl.failures import EXIT_REFUSED, EXIT_UNREACHABLE
from walletctl.finance.acts import OperatorActs
from walletctl.finance.aggregates import Aggregates
from walletctl.finance.documents import Documents
from walletctl.finance.queue import DeadLetterQueue
from walletctl.finance.settings import FinanceSettings

_UNREACHABLE = (DeadlineExceeded, RetryError, ServiceUnavailable)


class Refused(click.ClickException):
    exit_code = EXIT_REFUSED


class Unreachable(click.ClickException):
    exit_code = EXIT_UNREACHABLE


@dataclass(frozen=True, slots=True)
class Desk:
    """What an operator needs to mend dead letters."""

    queue: DeadLetterQueue
    documents: Documents
    acts: OperatorActs


@contextmanager
def open_desk(settings: FinanceSettings) -> Iterator[Desk]:
    """Open all of it; letters that were leased and not settled are given back at the end."""
    with (
        failures_told(),
        _open_subscriber(settings) as subscriber,
        _open_publisher(settings) as publisher,
        _open_firestore(settings) as client,
        DeadLetterQueue(subscriber, publisher, topology_of(settings)) as queue,
    ):
        documents = Documents(client, settings.firestore_collection)
        yield Desk(queue, documents, OperatorActs(client))


@contextmanager
def open_acts(settings: FinanceSettings) -> Iterator[OperatorActs]:
    with failures_told(), _open_firestore(settings) as client:
        yield OperatorActs(client)


@dataclass(frozen=True, slots=True)
class Archive:
    """What Firestore keeps: finance's documents, and what operators did."""

    documents: Documents
    acts: OperatorActs


@contextmanager
def open_archive(settings: FinanceSettings) -> Iterator[Archive]:
    with failures_told(), _open_firestore(settings) as client:
        yield Archive(Documents(client, settings.firestore_collection), OperatorActs(client))


@contextmanager
def open_aggregates(settings: FinanceSettings) -> Iterator[Aggregates]:
    with failures_told(), _open_firestore(settings) as client:
        yield Aggregates(client, settings.aggregates_collection)


@contextmanager
def failures_told() -> Iterator[None]:
    """Make a failed call to Google what an operator reads: exit code 1 refused, 3 not reachable."""
    try:
        yield
    except GoogleAPIError as error:
        raise (Unreachable if isinstance(error, _UNREACHABLE) else Refused)(str(error)) from None


@contextmanager
def _open_subscriber(settings: FinanceSettings) -> Iterator[SubscriberClient]:
    if not (emulator := settings.pubsub_emulator_host):
        with SubscriberClient() as client:
            yield client
        return
    with grpc.insecure_channel(emulator) as channel:
        yield SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))


@contextmanager
def _open_publisher(settings: FinanceSettings) -> Iterator[PublisherClient]:
    if not (emulator := settings.pubsub_emulator_host):
        with PublisherClient() as client:
            yield client
        return
    with grpc.insecure_channel(emulator) as channel:
        yield PublisherClient(transport=PublisherGrpcTransport(channel=channel))


@contextmanager
def _open_firestore(settings: FinanceSettings) -> Iterator[firestore.Client]:
    """Open Firestore, or the emulator that its client finds in the environment by itself."""
    client = firestore.Client(project=settings.google_cloud_project)
    try:
        yield client
    finally:
        client.close()
