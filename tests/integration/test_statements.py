"""Balances, statements and trial balances as of a time, by either time."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from tests import plans
from tests.books import Books
from tests.databases import WalletDatabase
from wallet_service.decide.model import Transaction
from wallet_service.decide.plan import Leg
from wallet_service.store.balances import Bound
from wallet_service.store.entries import EntryFilter, Place, Stretch, WalletEntry, place_of

BASES = pytest.mark.parametrize("by_effective_time", [False, True], ids=["record", "effective"])
START = datetime(2026, 1, 1, tzinfo=UTC)
LOCK = "SELECT FROM accounts WHERE account_id = $1 FOR NO KEY UPDATE"
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def history(books: Books, wallet: int, seed: int) -> list[Transaction]:
    """Post what moves and holds a wallet's money, some of it dated back or ahead."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    posted = [await books.post(plans.top_up(wallet, 10_000))]
    for _ in range(40):
        minor = chance.randint(1, 50)
        plan = chance.choice(
            [plans.top_up(wallet, minor), plans.usage(wallet, minor), plans.booking(wallet, minor)]
        )
        shift = timedelta(hours=chance.randint(-48, 48), microseconds=chance.randint(0, 9))
        dated = posted[-1].recorded_at + shift if chance.random() < 0.6 else None
        posted.append(await books.post(replace(plan, effective_at=dated)))
    return posted


def moments(posted: Sequence[Transaction], *, by_effective_time: bool) -> list[datetime]:
    """Each time that something counts at, and the instants beside it."""
    times = {each.effective_at if by_effective_time else each.recorded_at for each in posted}
    instant = timedelta(microseconds=1)
    return sorted(time + beside for time in times for beside in (-instant, 0 * instant, instant))


async def whole_statement(books: Books, wanted: Stretch, page_size: int) -> list[WalletEntry]:
    place: Place | None = None
    entries: list[WalletEntry] = []
    while page := (await books.reports.statement(wanted, place, page_size)).entries:
        entries += page
        place = place_of(page[-1])
    return entries


@BASES
@pytest.mark.parametrize("seed", range(3))
async def test_a_statement_is_the_difference_of_two_balances(
    seed: int,
    by_effective_time: bool,
    books: Books,
) -> None:
    """For any two times: opening, plus the entries between, is closing; both are the balances."""
    wallet = await books.wallet()
    posted = await history(books, wallet, seed)
    times = moments(posted, by_effective_time=by_effective_time)
    chance = random.Random(seed)  # noqa: S311 (no secret)
    for _ in range(30):
        start, end = sorted(chance.sample(times, 2))
        wanted = Stretch(wallet, "IDR", start, end, by_effective_time)
        statement = await books.reports.statement(wanted, None, 1000)
        moved = -sum(entry.amount_minor for entry in statement.entries)
        held = sum(entry.held_change_minor for entry in statement.entries)
        assert statement.closing.posted_minor - statement.opening.posted_minor == moved
        assert statement.closing.held_minor - statement.opening.held_minor == held
        for balance, moment in ((statement.opening, start), (statement.closing, end)):
            then = await books.reports.balances(wallet, Bound(moment, by_effective_time))
            assert [each.posted_minor for each in then] in ([balance.posted_minor], [])


@BASES
async def test_balances_are_what_had_counted_by_then(
    by_effective_time: bool,
    books: Books,
) -> None:
    """At every time the balance is the sum of the entries that are earlier."""
    wallet = await books.wallet()
    posted = await history(books, wallet, 7)
    for moment in moments(posted, by_effective_time=by_effective_time):
        earlier = [
            entry
            for each in posted
            for entry in each.entries
            if entry.key.wallet_id == wallet
            and (each.effective_at if by_effective_time else each.recorded_at) < moment
        ]
        then = await books.reports.balances(wallet, Bound(moment, by_effective_time))
        expected = [
            (-sum(e.amount_minor for e in earlier), sum(e.held_change_minor for e in earlier))
        ]
        assert [(each.posted_minor, each.held_minor) for each in then] == (earlier and expected)


@BASES
async def test_pages_of_a_statement_miss_nothing(
    by_effective_time: bool,
    books: Books,
) -> None:
    """Walked by pages of any size, it has each entry once, in the order of the time that counts."""
    wallet = await books.wallet()
    posted = await history(books, wallet, 11)
    times = moments(posted, by_effective_time=by_effective_time)
    wanted = Stretch(wallet, "IDR", times[0], times[-1], by_effective_time)
    whole = await whole_statement(books, wanted, 1000)
    assert sorted(entry.transaction_id for entry in whole) == [e.transaction_id for e in posted]
    counted = [entry.effective_at if by_effective_time else entry.recorded_at for entry in whole]
    assert counted == sorted(counted)
    for page_size in (1, 2, 7):
        assert await whole_statement(books, wanted, page_size) == whole


@BASES
async def test_the_trial_balance_of_any_time_sums_to_zero(
    by_effective_time: bool,
    books: Books,
) -> None:
    """At every time each asset sums to zero, and each line is what had counted by then."""
    wallet = await books.wallet()
    posted = await history(books, wallet, 13)
    for moment in moments(posted, by_effective_time=by_effective_time)[::5]:
        lines = await books.reports.trial_balance(Bound(moment, by_effective_time))
        expected = {"FUNDING": 0, "REVENUE": 0, "WALLET": 0}
        for each in posted:
            if (each.effective_at if by_effective_time else each.recorded_at) < moment:
                for entry in each.entries:
                    expected[entry.key.account_type] += entry.amount_minor
        assert {line.account_type: line.amount_minor for line in lines} == expected
        assert sum(expected.values()) == 0


async def test_a_balance_of_a_past_time_never_changes(books: Books) -> None:
    """Asked while postings are under way, again and again, each time keeps its first answer."""
    wallet = await books.wallet(1)
    answers: list[tuple[Bound, int]] = []

    async def ask() -> None:
        bound = Bound(datetime.now(UTC), by_effective_time=False)
        (then,) = await books.reports.balances(wallet, bound)
        answers.append((bound, then.posted_minor))

    for _ in range(10):
        await asyncio.gather(
            *(books.post(plans.top_up(wallet, 1)) for _ in range(20)), ask(), ask()
        )
    for bound, posted_minor in answers:
        (then,) = await books.reports.balances(wallet, bound)
        assert then.posted_minor == posted_minor


@BASES
@pytest.mark.parametrize("year", [1, 1950, 2100, 9999])
async def test_no_time_is_too_far_to_be_asked_about(
    year: int,
    by_effective_time: bool,
    books: Books,
) -> None:
    """Before the first id there was nothing; after the last one all has been written."""
    wallet = await books.wallet(100)
    bound = Bound(datetime(year, 1, 1, tzinfo=UTC), by_effective_time)
    then = await books.reports.balances(wallet, bound)
    assert [each.posted_minor for each in then] == ([100] if year > 2093 else [])
    lines = await books.reports.trial_balance(bound)
    assert sum(line.amount_minor for line in lines) == 0


async def test_a_question_and_a_posting_never_wait_for_one_another(
    books: Books, wallet_database: WalletDatabase
) -> None:
    """A question about now locks a wallet's accounts in the order in which a batch does."""
    wallet = await books.wallet(100)
    legs = Leg(plans.FUNDING._replace(asset_code="AAA"), 5), Leg(plans.wallet(wallet, "AAA"), -5)
    owner = await asyncpg.connect(wallet_database.owner_url)
    await owner.execute("INSERT INTO assets VALUES ('AAA', 'QUOTA', 0)")
    await books.post(plans.plan("TOP_UP", wallet, *legs))
    rows = await owner.fetch(
        "SELECT account_id FROM accounts WHERE wallet_id = $1 ORDER BY 1", wallet
    )
    async with owner.transaction():
        await owner.execute(LOCK, rows[0][0])
        bound = Bound(datetime.now(UTC), by_effective_time=False)
        asked = asyncio.create_task(books.reports.balances(wallet, bound))
        while not await owner.fetchval(WAITING):  # noqa: ASYNC110 (another process is asked)
            await asyncio.sleep(0)
        await owner.execute(LOCK, rows[1][0])
    assert len(await asked) == 2
    await owner.close()


FILTERS = {
    "all": (EntryFilter(0), 4),
    "kind": (EntryFilter(0, kind="USAGE"), 2),
    "reference": (EntryFilter(0, reference="order 1"), 1),
    "metadata": (EntryFilter(0, metadata_json='{"shop":"a"}'), 2),
    "two notes": (EntryFilter(0, metadata_json='{"shop":"a","till":"2"}'), 1),
    "asset": (EntryFilter(0, asset_code="USD"), 0),
    "nothing": (EntryFilter(0, kind="TRANSFER", reference="order 1"), 0),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_entries_are_found_by_what_is_said_of_them(name: str, books: Books) -> None:
    """Each filter leaves just the entries that match."""
    wallet = await books.wallet(100)
    await books.post(replace(plans.usage(wallet, 1), reference="order 1"))
    await books.post(replace(plans.usage(wallet, 1), metadata_json='{"shop":"a","till":"1"}'))
    await books.post(replace(plans.booking(wallet, 1), metadata_json='{"shop":"a","till":"2"}'))
    wanted, count = FILTERS[name]
    found = await books.reports.entries(replace(wanted, wallet_id=wallet), (1 << 62, 0), 10)
    assert len(found) == count


async def test_entries_are_found_by_their_record_time(books: Books) -> None:
    """From one id, up to another: the first is in, the end is not."""
    wallet = await books.wallet(100)
    posted = [(await books.post(plans.usage(wallet, 1))).transaction_id for _ in range(4)]
    wanted = EntryFilter(wallet, first_id=posted[1], end_id=posted[3])
    found = await books.reports.entries(wanted, (1 << 62, 0), 10)
    assert [entry.transaction_id for entry in found] == [posted[2], posted[1]]


async def exchanged(books: Books, wallet_database: WalletDatabase) -> int:
    """Make a wallet of three assets; most of its transactions move two of them."""
    owner = await asyncpg.connect(wallet_database.owner_url)
    await owner.execute("INSERT INTO assets VALUES ('AAA', 'QUOTA', 0), ('BBB', 'QUOTA', 0)")
    await owner.close()
    wallet = await books.wallet(100)
    for assets in (("IDR", "AAA"), ("AAA", "BBB"), ("BBB",), ("BBB", "IDR"), ("AAA", "IDR")):
        funds = [Leg(plans.FUNDING._replace(asset_code=each), 5) for each in assets]
        own = [Leg(plans.wallet(wallet, each), -5) for each in assets]
        await books.post(plans.plan("TOP_UP", wallet, *funds, *own))
    return wallet


@pytest.mark.parametrize("page_size", [1, 2, 3])
async def test_pages_of_several_assets_miss_nothing(
    page_size: int, books: Books, wallet_database: WalletDatabase
) -> None:
    """Also where a page ends between two entries of one transaction."""
    wanted = EntryFilter(await exchanged(books, wallet_database))
    whole = await books.reports.entries(wanted, (1 << 62, 0), 100)
    places = [(each.transaction_id, each.leg_index) for each in whole]
    assert len(whole) == 10
    assert places == sorted(places, reverse=True)
    found: list[WalletEntry] = []
    place = (1 << 62, 0)
    while page := await books.reports.entries(wanted, place, page_size):
        found += page
        place = page[-1].transaction_id, page[-1].leg_index
    assert found == whole
