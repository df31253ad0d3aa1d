"""Page sizes, and page tokens that only this service can make."""

import hashlib

from itsdangerous import BadSignature, URLSafeSerializer

from shared.errors import invalid

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


def page_size(asked: int) -> int:
    """Answer the size to serve: 0 means 50, more than 1,000 means 1,000."""
    if asked < 0:
        raise invalid("page_size", "must not be negative")
    return min(asked or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


class PageTokens:
    """Signs the place where the next page starts, bound to the query that it belongs to."""

    def __init__(self, secret: str) -> None:
        self._serializer = URLSafeSerializer(
            secret, signer_kwargs={"digest_method": hashlib.sha256}
        )

    def next_token(self, query: str, place: list[int]) -> str:
        """Answer the token of the page that follows a place; none where there is no place."""
        return str(self._serializer.dumps([query, place])) if place else ""

    def place(self, query: str, token: str) -> list[int] | None:
        """Answer where the page starts; None for the first. Raises `InvalidArgument`."""
        if not token:
            return None
        try:
            token_query, place = self._serializer.loads(token)
        except BadSignature:
            raise invalid("page_token", "is not a token of this service") from None
        if token_query != query:
            raise invalid("page_token", "belongs to a query with other fields")
        return [int(each) for each in place]
