"""Publishing price books, on a real Postgres: immutable, in order, one outcome for a request id."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from shared.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, Unavailable
from shared.idempotency import digest
from shared.postgres import Pool
from tests.databases import TransactionDatabase
from tests.price_lists import FLAT_100, price_book
from transaction_service import store
from transaction_service.catalogue import Catalogue, Publish
from transaction_service.price_watch import PriceWatch
from transaction_service.pricing.price_books import PriceBooks

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEAD = timedelta(seconds=5)
INSTANT = timedelta(microseconds=1)
TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = $1 AND usename = 'transaction_service'
"""


@dataclass
class Instance:
    """One process's price books, on a clock of the test's own."""

    pool: Pool
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.books = PriceBooks()
        self.watch = PriceWatch(self.pool, self.books, lambda: self.now)
        self.catalogue = Catalogue(self.pool, self.watch, lambda: self.now)

    async def publish(
        self, version: str, effective_at: datetime | None = None, **changes: Any
    ) -> datetime:
        """Publish with `changes` of the request; answer from when on it holds."""
        asked = replace(publication(version, effective_at), **changes)
        return (await self.catalogue.publish(asked)).publication.effective_at


def publication(version: str, effective_at: datetime | None = None) -> Publish:
    body = digest(f"{version} {effective_at}".encode())
    return Publish(
        request_id=f"publish-{version}",
        request_digest=digest(version.encode()),
        body_digest=body,
        book=price_book(version=version),
        effective_at=effective_at,
        validate_only=False,
    )


@pytest.fixture
async def instance(transaction_database: TransactionDatabase) -> AsyncIterator[Instance]:
    async with await store.open_pool(transaction_database.service_url) as pool:
        yield Instance(pool)


async def test_the_first_holds_at_once_and_the_next_five_seconds_later(instance: Instance) -> None:
    """So that every instance has a version before it holds; memory turns over by itself."""
    assert await instance.publish("a") == NOON
    assert await instance.publish("b") == NOON + LEAD
    assert instance.books.in_force(NOON + LEAD - INSTANT).version == "a"
    assert instance.books.in_force(NOON + LEAD).version == "b"


async def test_another_instance_sees_it_at_its_next_look(instance: Instance) -> None:
    """What one publishes another one finds, and so does one that starts later."""
    other = Instance(instance.pool)
    await other.watch.look()
    await instance.publish("a")
    await instance.publish("b")
    await other.watch.look()
    assert other.books.in_force(NOON).version == "a"
    assert other.books.in_force(NOON + LEAD).version == "b"
    late = Instance(instance.pool, NOON + timedelta(days=1))
    await late.watch.look()
    assert late.books.in_force(late.now).version == "b"
    assert late.books.version("a") is None


async def test_the_same_again_is_answered_as_it_was(instance: Instance) -> None:
    """Under the same request id and under another one, also long after."""
    await instance.publish("a")
    instance.now += timedelta(days=1)
    assert await instance.publish("a") == NOON
    assert await instance.publish("a", request_digest=digest(b"another id")) == NOON


async def test_other_content_is_refused(instance: Instance) -> None:
    """A version is taken by its content and time, a request id by its body."""
    await instance.publish("a")
    other: dict[str, Any] = {"book": price_book(FLAT_100 | {"unit_minor": 101}, version="a")}
    with pytest.raises(AlreadyExists) as refused:
        await instance.publish("a", **other, body_digest=digest(b"other"))
    assert refused.value.reason == "REQUEST_ID_REUSED"
    for change in (other, {"effective_at": NOON + LEAD}):
        with pytest.raises(AlreadyExists) as refused:
            await instance.publish("a", **change, request_digest=digest(b"another id"))
        assert refused.value.reason == "PRICE_BOOK_VERSION_TAKEN"


async def test_prices_do_not_change_without_notice(instance: Instance) -> None:
    """Less than five seconds ahead, and before the last version, are refused; nothing is kept."""
    await instance.publish("a")
    await instance.publish("b", NOON + timedelta(hours=1))
    for soon in (NOON + LEAD - INSTANT, NOON + timedelta(hours=1)):
        with pytest.raises(FailedPrecondition) as refused:
            await instance.publish("c", soon)
        assert refused.value.reason == "EFFECTIVE_TIME_PAST"
    earliest = datetime.fromisoformat(refused.value.metadata["earliest_time"])
    assert earliest == NOON + timedelta(hours=1) + INSTANT
    assert await instance.publish("c", earliest) == earliest


async def test_so_many_may_be_to_come(instance: Instance) -> None:
    """Twenty, so that memory has a bound."""
    await instance.publish("now")
    for i in range(20):
        await instance.publish(f"v{i}", NOON + timedelta(hours=i + 1))
    with pytest.raises(FailedPrecondition) as refused:
        await instance.publish("one more", NOON + timedelta(days=9))
    assert refused.value.reason == "PRICE_BOOK_LIMIT_EXCEEDED"


async def test_a_bad_book_is_refused_with_every_fault(instance: Instance) -> None:
    """By the paths that the request has."""
    book = price_book({"kind": "FLAT"}, version="", assets=[])
    with pytest.raises(InvalidArgument) as refused:
        await instance.publish("a", book=book)
    assert [each.field for each in refused.value.violations] == [
        "price_book.version",
        "price_book.assets",
        "price_book.products[0].asset_code",
        "price_book.products[0].price.unit_minor",
    ]


async def test_a_dry_run_leaves_nothing(instance: Instance) -> None:
    """It answers the time that the version would hold from."""
    assert await instance.publish("a", validate_only=True) == NOON
    with pytest.raises(NotFound):
        await instance.catalogue.get("a")
    with pytest.raises(NotFound):
        await instance.catalogue.in_force(None)


async def test_two_at_the_same_time_take_turns(instance: Instance) -> None:
    """Of two that may hold from the same time on, one is refused; the same twice is one."""
    await instance.publish("a")
    at = NOON + timedelta(hours=1)
    answers = await asyncio.gather(
        instance.publish("b", at),
        instance.publish("c", at),
        *(instance.publish("a") for _ in range(3)),
        return_exceptions=True,
    )
    assert [isinstance(each, FailedPrecondition) for each in answers].count(True) == 1
    assert answers[2:] == [NOON] * 3


async def test_versions_are_read_and_listed(instance: Instance) -> None:
    """With their content one by one, in force at a time, and by page, the last first."""
    for version, hours in (("a", 1), ("b", 2), ("c", 3)):
        await instance.publish(version, NOON + timedelta(hours=hours))
    assert (await instance.catalogue.get("b")).book == price_book(version="b")
    found = await instance.catalogue.in_force(NOON + timedelta(hours=2))
    assert found.publication.version == "b"
    page = await instance.catalogue.page(None, 2)
    assert [each.version for each in page] == ["c", "b"]
    rest = await instance.catalogue.page(page[-1].effective_at, 2)
    assert [each.version for each in rest] == ["a"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE price_books SET effective_at = now()",
        "DELETE FROM price_books",
        "TRUNCATE price_books CASCADE",
        "UPDATE requests SET recorded_at = now()",
        "DELETE FROM requests",
        "TRUNCATE requests",
    ],
)
async def test_nothing_published_can_be_changed(
    instance: Instance, transaction_database: TransactionDatabase, statement: str
) -> None:
    """Not even by the database's owner."""
    await instance.publish("a")
    conn = await asyncpg.connect(transaction_database.owner_url)
    with pytest.raises(asyncpg.RestrictViolationError):
        await conn.execute(statement)
    await conn.close()


async def test_prices_hold_on_while_the_database_is_away(
    instance: Instance, transaction_database: TransactionDatabase
) -> None:
    """Health and one line of the log tell of it; prices are as before; it ends by itself."""
    await instance.publish("a")
    owner = await asyncpg.connect(transaction_database.owner_url)
    name = transaction_database.name
    await instance.watch.probe()
    with capture_logs() as logs:
        await owner.execute("ALTER ROLE transaction_service CONNECTION LIMIT 0")
        await owner.execute(TERMINATE, name)
        try:
            for _ in range(3):
                await instance.watch.round()
        finally:
            await owner.execute("ALTER ROLE transaction_service CONNECTION LIMIT -1")
        with pytest.raises(Unavailable):
            await instance.watch.probe()
        assert instance.books.in_force(NOON).version == "a"
        for _ in range(2):
            await instance.watch.round()
    await instance.watch.probe()
    assert [each["event"] for each in logs] == [
        "no new price books can be seen",
        "new price books can be seen again",
    ]
    await owner.close()
