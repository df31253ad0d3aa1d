"""Checks of single request fields that both services make, each naming its field."""

from datetime import UTC, datetime
from typing import Any

from shared.errors import invalid


def checked_text(text: str, field: str, min_length: int, max_length: int) -> str:
    """Answer `text` if its length is right and it holds no control characters."""
    if not min_length <= len(text) <= max_length:
        if not text:
            raise invalid(field, "is required")
        raise invalid(field, f"must be {min_length} to {max_length} characters")
    if not text.isprintable():
        raise invalid(field, "must not hold control characters")
    return text


def moment_of(message: Any, name: str, path: str = "") -> datetime | None:
    """Answer a `Timestamp` field as a datetime; None if unset."""
    if not message.HasField(name):
        return None
    try:
        moment: datetime = getattr(message, name).ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        field = f"{path}.{name}" if path else name
        raise invalid(field, "must be a time in the years 1 to 9999") from None
    return moment
