"""Quotes that are honoured: tokens that only this service can make."""

import hashlib
from datetime import UTC, datetime, timedelta

from itsdangerous import BadSignature, URLSafeSerializer

from shared.errors import FailedPrecondition, InvalidArgument, invalid
from transaction_service.domain import Quote, Usage

QUOTE_INVALID = "QUOTE_INVALID"
QUOTE_EXPIRED = "QUOTE_EXPIRED"
HOLDS_FOR = timedelta(minutes=15)


class Quotes:
    """Promises a price book's version for a usage. Nothing is stored: the promise is the token."""

    def __init__(self, secret: str) -> None:
        self._serializer = URLSafeSerializer(
            secret, salt="quote", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def issue(self, quote: Quote, version: str, expires_at: datetime) -> str:
        """Answer the quote's id."""
        content = [*_subject(quote), version, int(expires_at.timestamp())]
        return str(self._serializer.dumps(content))

    def version(self, usage: Usage, now: datetime) -> str:
        """Answer the version that the usage's quote promises.

        Raises `InvalidArgument` for what is no quote of this usage, `FailedPrecondition` for one
        that has expired.
        """
        try:
            *subject, version, expires = self._serializer.loads(usage.quote_id)
        except BadSignature:
            raise _not_valid("is not a quote of this service") from None
        if subject != _subject(usage):
            raise _not_valid("is for another wallet, product or quantity")
        expires_at = datetime.fromtimestamp(expires, UTC)
        if expires_at <= now:
            raise quote_expired(expires_at)
        return str(version)


def quote_expired(expires_at: datetime) -> FailedPrecondition:
    moment = expires_at.isoformat()
    return FailedPrecondition(
        QUOTE_EXPIRED, f"the quote expired at {moment}", {"expire_time": moment}
    )


def _not_valid(words: str) -> InvalidArgument:
    return invalid("quote_id", words, QUOTE_INVALID)


def _subject(asked: Quote | Usage) -> list[str | int]:
    return [asked.wallet_id, asked.product_code, asked.quantity]
