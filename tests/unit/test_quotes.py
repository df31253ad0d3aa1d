"""Quotes: promises that only this service can make, for one usage, for a time."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import FailedPrecondition, InvalidArgument
from transaction_service.domain import Quote, Usage
from transaction_service.quotes import Quotes

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
EXPIRES = NOON + timedelta(minutes=15)
QUOTE = Quote(wallet_id="wal_1", product_code="SIGN", quantity=3)


def usage(**changes: object) -> Usage:
    return Usage.model_validate(
        {
            **QUOTE.model_dump(),
            "request_id": "r",
            "reference": "",
            "effective_at": None,
            "metadata": {},
            "validate_only": False,
            "body_digest": b"",
            "traceparent": "",
            **changes,
        }
    )


def test_a_quote_names_the_version_that_it_was_made_from() -> None:
    """Until right before it expires."""
    quotes = Quotes("secret")
    asked = usage(quote_id=quotes.issue(QUOTE, "2026-11", EXPIRES))
    assert quotes.version(asked, EXPIRES - timedelta(microseconds=1)) == "2026-11"
    with pytest.raises(FailedPrecondition) as refused:
        quotes.version(asked, EXPIRES)
    assert refused.value.reason == "QUOTE_EXPIRED"


@pytest.mark.parametrize(
    "changes",
    [{"wallet_id": "wal_2"}, {"product_code": "SEAL"}, {"quantity": 4}, {"quote_id": "made-up"}],
)
def test_a_quote_is_for_one_usage(changes: dict[str, object]) -> None:
    """Another wallet, product or quantity, and what nobody issued, are refused by field."""
    quote_id = Quotes("secret").issue(QUOTE, "2026-11", EXPIRES)
    with pytest.raises(InvalidArgument) as refused:
        Quotes("secret").version(usage(**{"quote_id": quote_id, **changes}), NOON)
    assert refused.value.reason == "QUOTE_INVALID"
    assert refused.value.violations[0].field == "quote_id"


def test_a_quote_needs_the_secret_that_it_was_signed_with() -> None:
    """One from elsewhere is refused."""
    quote_id = Quotes("another").issue(QUOTE, "2026-11", EXPIRES)
    with pytest.raises(InvalidArgument):
        Quotes("secret").version(usage(quote_id=quote_id), NOON)
