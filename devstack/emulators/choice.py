"""Which emulator a machine gets: Google's own if it is installed, else our stand-in."""

import sys
from collections.abc import Callable, Mapping

from devstack.emulators.command import EmulatorCommand
from devstack.emulators.google import google_firestore_command, google_pubsub_command


def pubsub_command(listen_port: int) -> EmulatorCommand:
    """Say how to start the best Pub/Sub emulator of this machine on 127.0.0.1."""
    return google_pubsub_command(listen_port) or built_in_pubsub_command(listen_port)


def firestore_command(listen_port: int) -> EmulatorCommand:
    """Say how to start the best Firestore emulator of this machine on 127.0.0.1."""
    return google_firestore_command(listen_port) or built_in_firestore_command(listen_port)


def built_in_pubsub_command(listen_port: int) -> EmulatorCommand:
    return _built_in("devstack.emulators.pubsub", listen_port)


def built_in_firestore_command(listen_port: int) -> EmulatorCommand:
    return _built_in("devstack.emulators.firestore", listen_port)


def _built_in(module: str, listen_port: int) -> EmulatorCommand:
    argv = (sys.executable, "-m", module, "--listen", f"127.0.0.1:{listen_port}")
    return EmulatorCommand("built-in", argv, {})


Emulators = Mapping[str, Callable[[int], EmulatorCommand]]
"""How each is started, by the name of its part of a stack."""

BEST: Emulators = {"pubsub": pubsub_command, "firestore": firestore_command}
BUILT_IN: Emulators = {"pubsub": built_in_pubsub_command, "firestore": built_in_firestore_command}
