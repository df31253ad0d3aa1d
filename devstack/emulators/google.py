"""Google's own emulators, where the Cloud SDK and a Java runtime are on the PATH.

Each is started as the Java process that it is: `gcloud beta emulators … start` takes seconds
longer and leaves that process behind when it is ended.
"""

import shutil
from pathlib import Path

from devstack.emulators.command import EmulatorCommand

# They hold everything in memory; a small heap and a plain collector leave the machine to others.
_JVM_FLAGS = ("-Xms64m", "-Xmx1g", "-XX:+UseSerialGC", "-Duser.language=en")
_FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"


def google_pubsub_command(listen_port: int) -> EmulatorCommand | None:
    """Say how to start Google's Pub/Sub emulator, or None if this machine lacks it."""
    java, jar = shutil.which("java"), _jar("pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar")
    if java is None or jar is None:
        return None
    server = ("-jar", str(jar), "--host=127.0.0.1", f"--port={listen_port}")
    return EmulatorCommand("google", (java, *_JVM_FLAGS, *server), {})


def google_firestore_command(listen_port: int) -> EmulatorCommand | None:
    """Say how to start Google's Firestore emulator, or None if this machine lacks it."""
    java, jar = shutil.which("java"), _jar("cloud-firestore-emulator/cloud-firestore-emulator.jar")
    if java is None or jar is None:
        return None
    address = ("start", "--host=127.0.0.1", f"--port={listen_port}")
    argv = (java, *_JVM_FLAGS, "-cp", str(jar), _FIRESTORE_MAIN, *address)
    return EmulatorCommand("google", argv, {})


def _jar(pattern: str) -> Path | None:
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return None
    sdk_root = Path(gcloud).resolve().parent.parent
    return max(sdk_root.glob(f"platform/{pattern}"), default=None)
