"""The published price books: one more, one, or all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.errors import AlreadyExists, FieldViolation, InvalidArgument, NotFound
from shared.postgres import Connection, Pool, connection
from transaction_service import store
from transaction_service.price_watch import PriceWatch
from transaction_service.pricing.faults import faults_of
from transaction_service.pricing.price_book import PriceBook
from transaction_service.pricing.publication import Standing, effective_time
from transaction_service.store import Publication, Published

PRICE_BOOK_NOT_FOUND = "PRICE_BOOK_NOT_FOUND"
PRICE_BOOK_VERSION_TAKEN = "PRICE_BOOK_VERSION_TAKEN"
REQUEST_ID_REUSED = "REQUEST_ID_REUSED"

# gRPC carries errors as metadata, of which a client takes 8 KiB unless it says otherwise; a third
# of it goes to their encoding.
ERROR_ROOM = 4_000
ERROR_ROOM_OF_EACH = 40


@dataclass(frozen=True, slots=True)
class Publish:
    """What `PublishPriceBook` asks; `effective_at` None is as soon as may be."""

    request_id: str
    request_digest: bytes
    body_digest: bytes
    book: PriceBook
    effective_at: datetime | None
    validate_only: bool


class Catalogue:
    def __init__(self, pool: Pool, watch: PriceWatch, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._watch = watch
        self._clock = clock

    async def publish(self, asked: Publish) -> Published:
        """Publish a version, in one `db_tx`; this process prices by it from its time on.

        A version that is there with the same content is answered as it is. Raises, in order:
        `InvalidArgument` with every fault, `AlreadyExists` for a reused request id or a taken
        version, `FailedPrecondition` for its effective time, `Unavailable`.
        """
        if faults := faults_of(asked.book):
            raise InvalidArgument("FIELD_INVALID", *_told(faults))
        async with connection(self._pool) as conn, conn.transaction():
            await store.lock_publishing(conn)
            published = await _repeated(conn, asked) or await self._first(conn, asked)
        if not asked.validate_only:
            await self._watch.look()
        return published

    async def _first(self, conn: Connection, asked: Publish) -> Published:
        now = self._clock()
        last, to_come = await store.last_effective(conn, now)
        effective_at = effective_time(asked.effective_at, Standing(now, last, to_come))
        if asked.validate_only:
            return Published(Publication(asked.book.version, effective_at, None), asked.book)
        publication = await store.insert_book(conn, asked.book, effective_at)
        await _record(conn, asked)
        return Published(publication, asked.book)

    async def get(self, version: str) -> Published:
        """Read a version. Raises `NotFound`, `Unavailable`."""
        async with connection(self._pool) as conn:
            found = await store.find_book(conn, version)
        if found is None:
            raise NotFound(
                PRICE_BOOK_NOT_FOUND, f"there is no price book {version}", {"version": version}
            )
        return found

    async def in_force(self, at: datetime | None) -> Published:
        """Read the version in force at a time, now if None. Raises `NotFound`, `Unavailable`."""
        moment = at or self._clock()
        async with connection(self._pool) as conn:
            found = await store.find_in_force(conn, moment)
        if found is None:
            words = f"no price book is in force at {moment.isoformat()}"
            raise NotFound(PRICE_BOOK_NOT_FOUND, words, {"as_of_time": moment.isoformat()})
        return found

    async def page(self, before: datetime | None, limit: int) -> list[Publication]:
        """List the versions that hold from before a time on. Raises `Unavailable`."""
        async with connection(self._pool) as conn:
            return await store.list_books(conn, before, limit)


def _told(faults: list[FieldViolation]) -> list[FieldViolation]:
    """Name the faults by the request's fields; those that an error has no room for, by number."""
    told: list[FieldViolation] = []
    room = ERROR_ROOM
    for i, fault in enumerate(faults):
        room -= len(fault.field) + len(fault.description) + ERROR_ROOM_OF_EACH
        if room < 0:
            return [*told, FieldViolation("price_book", f"has {len(faults) - i} faults more")]
        told.append(FieldViolation(f"price_book.{fault.field}", fault.description))
    return told


async def _repeated(conn: Connection, asked: Publish) -> Published | None:
    """Find what the request, or another one for the same, has published before."""
    request = await store.find_request(conn, asked.request_digest)
    if request and request[0] != asked.body_digest:
        raise AlreadyExists(
            REQUEST_ID_REUSED,
            f"request id {asked.request_id} was used before, with another body",
            {"request_id": asked.request_id},
        )
    version = request[1] if request else asked.book.version
    there = await store.find_book(conn, version)
    if there and not request:
        _check_same(there, asked)
        if not asked.validate_only:
            await _record(conn, asked)
    return there


def _check_same(there: Published, asked: Publish) -> None:
    same_time = asked.effective_at in (None, there.publication.effective_at)
    if there.book != asked.book or not same_time:
        version = asked.book.version
        words = f"price book {version} is published already, with other content"
        raise AlreadyExists(PRICE_BOOK_VERSION_TAKEN, words, {"version": version})


async def _record(conn: Connection, asked: Publish) -> None:
    await store.record_request(conn, asked.request_digest, asked.body_digest, asked.book.version)
