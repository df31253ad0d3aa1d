"""Fields that several requests have, checked in one way."""

from collections.abc import Mapping

from privy.wallet.v1 import ledger_pb2

from shared.canonical_json import canonical_json
from shared.enums import enum_names
from shared.errors import invalid
from shared.fields import checked_text

MAX_REQUEST_ID = 64
MAX_REFERENCE = 128
MAX_CODE = 64
MAX_NOTES = 32
MAX_NOTE_KEY = 64
MAX_NOTE = 512


KINDS = enum_names(ledger_pb2.TransactionKind, "TRANSACTION_KIND_")


def enum_name(names: Mapping[int, str], number: int, path: str) -> str:
    if number == 0 or number not in names:
        raise invalid(path, "must be a known value")
    return names[number]


def metadata_json(metadata: Mapping[str, str], path: str) -> str:
    if not metadata:
        return "{}"
    if len(metadata) > MAX_NOTES:
        raise invalid(path, f"must be at most {MAX_NOTES}")
    for key, value in metadata.items():
        checked_text(key, path, 1, MAX_NOTE_KEY)
        checked_text(value, f"{path}.{key}", 0, MAX_NOTE)
    return canonical_json(dict(metadata))
