"""The one way of writing a JSON value down that hashes go by."""

import json
from typing import Any


def canonical_json(value: Any) -> str:
    """Write `value` with sorted keys and without spaces; the same value gives the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
