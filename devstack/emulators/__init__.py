"""Pub/Sub and Firestore for a developer's machine: Google's own emulators, or our stand-ins.

`pubsub_command` and `firestore_command` say how to start one; `wait_ready` says when it serves.
Both kinds speak the same gRPC, which `tests/conformance` holds them to.
"""

from devstack.emulators.choice import (
    BEST,
    BUILT_IN,
    Emulators,
    built_in_firestore_command,
    built_in_pubsub_command,
    firestore_command,
    pubsub_command,
)
from devstack.emulators.command import EmulatorCommand
from devstack.emulators.google import google_firestore_command, google_pubsub_command
from devstack.emulators.ready import wait_ready

__all__ = [
    "BEST",
    "BUILT_IN",
    "EmulatorCommand",
    "Emulators",
    "built_in_firestore_command",
    "built_in_pubsub_command",
    "firestore_command",
    "google_firestore_command",
    "google_pubsub_command",
    "pubsub_command",
    "wait_ready",
]
