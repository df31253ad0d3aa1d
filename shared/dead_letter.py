"""The attributes that make a message a dead letter, and those that a replay adds."""

REASON = "dead_letter_reason"
DETAIL = "dead_letter_detail"
FIRST_SEEN_TIME = "dead_letter_first_seen_time"
"""RFC 3339."""
ATTEMPT = "dead_letter_attempt"
"""How often it became a dead letter, from 1."""

REPLAY_COUNT = "replay_count"
"""How often an operator published it again, from 1."""
REPLAY_REASON = "replay_reason"

MAX_ATTRIBUTE_BYTES = 1_024
"""Pub/Sub's limit of a value."""


def count_of(text: str) -> int:
    """Read an attribute that counts; what is no count is 0."""
    return int(text) if text.isascii() and text.isdecimal() else 0
