"""Every SQL statement of the Transaction service, each beside its call.

Coroutines here take a connection, run one statement and return values; where a `db_tx` begins
and ends is the use case's affair.
"""

from dataclasses import dataclass
from datetime import datetime

from shared import postgres
from shared.postgres import Connection, Pool
from transaction_service.pricing.price_book import PriceBook

STATEMENT_TIMEOUT_S = 1.0
POOL_SIZE = 4

_COLUMNS = "version, effective_at, published_at"


async def open_pool(url: str) -> Pool:
    session = {"application_name": "transaction_service", "lock_timeout": "1s"}
    return await postgres.open_pool(url, POOL_SIZE, STATEMENT_TIMEOUT_S, session)


async def fault_of(url: str) -> str | None:
    """Say why the service cannot work on a database, and what to do; None if it can."""
    variable = "TRANSACTION_DATABASE_URL"
    return await postgres.fault_of(url, variable, "price_books", "transaction_service")


@dataclass(frozen=True, slots=True)
class Publication:
    """When a version was published, and from when on it holds."""

    version: str
    effective_at: datetime
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Published:
    """A version as it was published."""

    publication: Publication
    book: PriceBook


LOCK_PUBLISHING = "SELECT pg_advisory_xact_lock(hashtext('price books'))"


async def lock_publishing(conn: Connection) -> None:
    """Wait until no other publication is under way, and keep others waiting."""
    await conn.execute(LOCK_PUBLISHING)


FIND_REQUEST = "SELECT body_digest, price_book_version FROM requests WHERE request_digest = $1"


async def find_request(conn: Connection, request_digest: bytes) -> tuple[bytes, str] | None:
    """Answer the body and the version of a request id; None if it has published nothing."""
    row = await conn.fetchrow(FIND_REQUEST, request_digest)
    return (row["body_digest"], row["price_book_version"]) if row else None


RECORD_REQUEST = """
INSERT INTO requests (request_digest, body_digest, price_book_version) VALUES ($1, $2, $3)
"""


async def record_request(
    conn: Connection, request_digest: bytes, body_digest: bytes, version: str
) -> None:
    await conn.execute(RECORD_REQUEST, request_digest, body_digest, version)


INSERT_BOOK = f"""
INSERT INTO price_books (version, effective_at, content) VALUES ($1, $2, $3::jsonb)
RETURNING {_COLUMNS}
"""  # noqa: S608 (a constant)


async def insert_book(conn: Connection, book: PriceBook, effective_at: datetime) -> Publication:
    content = book.model_dump_json(exclude_defaults=True)
    row = await conn.fetchrow(INSERT_BOOK, book.version, effective_at, content)
    assert row is not None  # noqa: S101 (an INSERT of one row returns one)
    return Publication(*row)


FIND_BOOK = f"SELECT {_COLUMNS}, content FROM price_books WHERE version = $1"  # noqa: S608


async def find_book(conn: Connection, version: str) -> Published | None:
    row = await conn.fetchrow(FIND_BOOK, version)
    return _published(*row) if row else None


FIND_IN_FORCE = f"""
SELECT {_COLUMNS}, content FROM price_books
WHERE effective_at <= $1
ORDER BY effective_at DESC
LIMIT 1
"""  # noqa: S608 (a constant)


async def find_in_force(conn: Connection, at: datetime) -> Published | None:
    """Find the version that holds at a time."""
    row = await conn.fetchrow(FIND_IN_FORCE, at)
    return _published(*row) if row else None


LAST_EFFECTIVE = """
SELECT max(effective_at), count(*) FILTER (WHERE effective_at > $1) FROM price_books
"""


async def last_effective(conn: Connection, now: datetime) -> tuple[datetime | None, int]:
    """Answer the latest effective time of all, and how many versions are still to come."""
    row = await conn.fetchrow(LAST_EFFECTIVE, now)
    assert row is not None  # noqa: S101 (an aggregate answers one row)
    return row[0], row[1]


LIST_BOOKS = f"""
SELECT {_COLUMNS} FROM price_books
WHERE $1::timestamptz IS NULL OR effective_at < $1
ORDER BY effective_at DESC
LIMIT $2
"""  # noqa: S608 (a constant)


async def list_books(conn: Connection, before: datetime | None, limit: int) -> list[Publication]:
    """List versions that hold from before a time on, or all; the last one first."""
    return [Publication(*row) for row in await conn.fetch(LIST_BOOKS, before, limit)]


LOAD_BOOKS = f"""
SELECT {_COLUMNS}, content FROM price_books
WHERE effective_at >= coalesce(
    (SELECT max(effective_at) FROM price_books WHERE effective_at <= $1), '-infinity'
)
ORDER BY effective_at
LIMIT $2
"""  # noqa: S608 (a constant)


async def load_books(conn: Connection, at: datetime, limit: int) -> list[Published]:
    """Load the version that holds at a time and those after it, in their order."""
    return [_published(*row) for row in await conn.fetch(LOAD_BOOKS, at, limit)]


LOAD_NEW_BOOKS = f"""
SELECT {_COLUMNS}, content FROM price_books
WHERE effective_at > $1
ORDER BY effective_at
LIMIT $2
"""  # noqa: S608 (a constant)


async def load_new_books(conn: Connection, after: datetime, limit: int) -> list[Published]:
    """Load the versions that hold from later than a time on, in their order."""
    return [_published(*row) for row in await conn.fetch(LOAD_NEW_BOOKS, after, limit)]


def _published(
    version: str, effective_at: datetime, published_at: datetime, content: str
) -> Published:
    publication = Publication(version, effective_at, published_at)
    return Published(publication, PriceBook.model_validate_json(content))
