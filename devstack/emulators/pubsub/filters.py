"""Which messages a subscription wants: a subset of Pub/Sub's filter language.

    attributes.KEY = "VALUE"    attributes:KEY    hasPrefix(attributes.KEY, "PREFIX")

Each may have NOT before it, and AND joins them.
"""

import re
from collections.abc import Callable, Mapping

Attributes = Mapping[str, str]
Filter = Callable[[Attributes], bool]

_AND_OUTSIDE_QUOTES = re.compile(r'\s+AND\s+(?=(?:[^"]*"[^"]*")*[^"]*$)')
_EQUAL = re.compile(r'attributes\.([\w-]+)\s*=\s*"([^"\\]*)"')
_PRESENT = re.compile(r"attributes:([\w-]+)")
_PREFIX = re.compile(r'hasPrefix\(\s*attributes\.([\w-]+)\s*,\s*"([^"\\]*)"\s*\)')


def parse_filter(text: str) -> Filter:
    """Read a filter; the empty one wants every message. ValueError says what is not understood."""
    text = text.strip()
    conditions = [_condition(each) for each in _AND_OUTSIDE_QUOTES.split(text)] if text else []
    return lambda attributes: all(holds(attributes) for holds in conditions)


def _condition(text: str) -> Filter:
    if text.startswith("NOT "):
        holds = _condition(text.removeprefix("NOT ").strip())
        return lambda attributes: not holds(attributes)
    if match := _EQUAL.fullmatch(text):
        key, value = match.groups()
        return lambda attributes: attributes.get(key) == value
    if match := _PRESENT.fullmatch(text):
        (key,) = match.groups()
        return lambda attributes: key in attributes
    if match := _PREFIX.fullmatch(text):
        key, value = match.groups()
        return lambda attributes: attributes.get(key, "").startswith(value)
    raise ValueError(f"this stand-in does not understand the filter condition {text!r}")
