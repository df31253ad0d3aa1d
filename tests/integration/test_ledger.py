"""The ledger on a real Postgres: durable, concurrent, and readable at any time."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import Aborted, AlreadyExists, NotFound
from tests import plans
from tests.books import Books, request
from wallet_service.batch import AccountIds
from wallet_service.decide.model import Transaction
from wallet_service.decide.plan import AccountKey, Leg
from wallet_service.drafts import NewWallet, WalletUpdate
from wallet_service.errors import Refusal
from wallet_service.store.balances import Bound
from wallet_service.store.connections import connection
from wallet_service.store.entries import EntryFilter


def up_to(moment: datetime) -> Bound:
    return Bound(moment + timedelta(microseconds=1), by_effective_time=False)


async def test_duplicates_at_once_have_one_effect_and_one_answer(books: Books) -> None:
    """Fifty callers with one request id, over two processes, get the same transaction."""
    wallet = await books.wallet()
    plan = plans.top_up(wallet, 700)
    answers = await asyncio.gather(
        *(books.ledger.post(plan) for _ in range(25)),
        *(books.other_ledger.post(plan) for _ in range(25)),
    )
    assert all(answer == answers[0] for answer in answers)
    assert await books.available(wallet) == 700


async def test_one_request_id_on_two_wallets_at_once_has_one_outcome(books: Books) -> None:
    """Two bodies under one id meet on no row lock; still exactly one of them wins."""
    one, other = await books.wallet(), await books.wallet()
    answers = await asyncio.gather(
        books.ledger.post(plans.top_up(one, 5, "contested")),
        books.other_ledger.post(plans.top_up(other, 5, "contested")),
    )
    reasons = [answer.reason if isinstance(answer, Refusal) else "OK" for answer in answers]
    assert sorted(reasons) == ["OK", "REQUEST_ID_REUSED"]


async def test_a_hot_wallet_is_never_overspent(books: Books) -> None:
    """Of 200 usages of 1 on funds of 150, over two processes, exactly 150 are accepted."""
    wallet = await books.wallet(150)
    ledgers = [books.ledger, books.other_ledger]
    answers = await asyncio.gather(
        *(ledgers[i % 2].post(plans.usage(wallet, 1)) for i in range(200))
    )
    accepted = [answer for answer in answers if isinstance(answer, Transaction)]
    assert len(accepted) == 150
    assert await books.available(wallet) == 0


async def test_accounts_that_one_batch_forgets_stay_known_to_another(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two batches find accounts at once; the second has too many to be kept beside the rest."""
    monkeypatch.setattr(AccountIds, "MAX_KNOWN", 2)
    known, *others = [AccountKey(await books.wallet(), "WALLET", "IDR") for _ in range(5)]
    account_ids = AccountIds()
    async with connection(books.pool) as one, connection(books.pool) as other:
        await account_ids.find(one, {known}, 0)
        first, second = {known, others[0]}, set(others[1:])
        found = await asyncio.gather(
            account_ids.find(one, first, 0), account_ids.find(other, second, 0)
        )
    assert [each.keys() for each in found] == [first, second]
    assert len({account_id for each in found for account_id in each.values()}) == 5


async def test_transfers_in_a_ring_keep_the_total(books: Books) -> None:
    """Transfers both ways between wallets, over two processes, neither deadlock nor lose."""
    ring = [await books.wallet(100) for _ in range(4)]
    ledgers = [books.ledger, books.other_ledger]
    await asyncio.gather(
        *(
            ledgers[i % 2].post(plans.transfer(ring[i % 4], ring[(i + 1 + i % 2) % 4], 1 + i % 60))
            for i in range(200)
        )
    )
    assert sum([await books.available(wallet) for wallet in ring]) == 400


async def test_a_repeated_booking_gets_its_first_answer_after_it_was_closed(books: Books) -> None:
    """What became of a booking since does not change the answer; reading it shows the change."""
    wallet = await books.wallet(100)
    plan = plans.booking(wallet, 40)
    first = await books.post(plan)
    await books.post(plans.cancellation(wallet, first.transaction_id))
    assert await books.ledger.post(plan) == first
    assert first.state == "PENDING"
    now = await books.reports.transaction(first.transaction_id, "bkg")
    assert now.state == "CANCELLED"


async def test_a_refusal_is_remembered(books: Books) -> None:
    """The same request after a top-up gets the refusal that it got first."""
    wallet = await books.wallet(1)
    plan = plans.usage(wallet, 2)
    first = await books.ledger.post(plan)
    await books.post(plans.top_up(wallet, 100))
    assert isinstance(first, Refusal)
    assert await books.ledger.post(plan) == first


async def test_unknown_wallets_and_assets_are_refused_and_leave_no_account(books: Books) -> None:
    """What does not exist is named in the refusal, and the good plan beside it is posted."""
    wallet = await books.wallet()
    foreign = AccountKey(wallet, "WALLET", "NONE")
    house = AccountKey(0, "FUNDING", "NONE")
    batch = [
        plans.top_up(424242, 5),
        plans.plan("TOP_UP", wallet, Leg(house, 5), Leg(foreign, -5)),
        plans.top_up(wallet, 5),
    ]
    answers = await asyncio.gather(*map(books.ledger.post, batch))
    reasons = [answer.reason if isinstance(answer, Refusal) else "OK" for answer in answers]
    assert reasons == ["WALLET_NOT_FOUND", "ASSET_UNKNOWN", "OK"]


async def test_one_plan_that_the_database_refuses_does_not_spoil_its_batch(books: Books) -> None:
    """A plan that breaks a database guard fails alone; its neighbours are posted."""
    wallet = await books.wallet(10)
    crooked = replace(plans.usage(wallet, 1), kind="NO_SUCH_KIND")
    answers = await asyncio.gather(
        *map(books.ledger.post, [plans.usage(wallet, 2), crooked, plans.usage(wallet, 3)]),
        return_exceptions=True,
    )
    assert [type(each) for each in answers[::2]] == [Transaction, Transaction]
    assert isinstance(answers[1], Exception)
    assert await books.available(wallet) == 5


async def test_balances_as_of_a_time_are_those_that_stood_then(books: Books) -> None:
    """At each transaction's time of writing the balance is the one that it left."""
    wallet = await books.wallet()
    posted = [await books.post(plans.top_up(wallet, amount)) for amount in (5, 20, 300)]
    total = 0
    for transaction, amount in zip(posted, (5, 20, 300), strict=True):
        total += amount
        (then,) = await books.reports.balances(wallet, up_to(transaction.recorded_at))
        assert then.posted_minor == total
    assert await books.reports.balances(wallet, up_to(datetime(2025, 1, 1, tzinfo=UTC))) == []


async def test_pages_of_entries_and_transactions_miss_nothing(books: Books) -> None:
    """Walking newest first by small pages finds each entry and transaction exactly once."""
    wallet = await books.wallet()
    posted = [(await books.post(plans.top_up(wallet, n))).transaction_id for n in range(1, 8)]
    place, seen = (1 << 62, 0), []
    while page := await books.reports.entries(EntryFilter(wallet), place, 3):
        seen += [entry.transaction_id for entry in page]
        place = (page[-1].transaction_id, page[-1].leg_index)
    assert seen == posted[::-1]
    before, listed = 1 << 62, []
    while some := await books.reports.transactions(wallet, before, None, 2):
        listed += [each.transaction_id for each in some]
        before = some[-1].transaction_id
    assert listed == posted[::-1]


async def test_the_trial_balance_sums_to_zero(books: Books) -> None:
    """After some of everything, each asset's lines sum to zero."""
    wallet = await books.wallet(1000)
    booked = await books.post(plans.booking(wallet, 100))
    await books.post(plans.commit(wallet, booked.transaction_id, 60))
    await books.post(plans.usage(wallet, 5))
    lines = await books.reports.trial_balance(None)
    assert {line.account_type: line.amount_minor for line in lines} == {
        "FUNDING": 1000, "REVENUE": -65, "WALLET": -935,
    }  # fmt: skip


async def test_a_wallet_is_created_once(books: Books) -> None:
    """Twenty equal requests at once make one wallet; another body is refused."""
    same = request("new wallet")
    created = await asyncio.gather(
        *(books.wallets.create(same, NewWallet("PERSONAL", "a wallet")) for _ in range(20))
    )
    assert len({wallet.wallet_id for wallet in created}) == 1
    with pytest.raises(AlreadyExists):
        await books.wallets.create(
            request("new wallet", "other"), NewWallet("PERSONAL", "a wallet")
        )
    with pytest.raises(NotFound):
        await books.wallets.create(request(), NewWallet("ENTERPRISE", "orphan", 999_999))


async def test_a_change_by_a_stale_version_may_be_corrected(books: Books) -> None:
    """A stale read is not kept: under the same request id the newer version is taken."""
    wallet = await books.wallet()
    with pytest.raises(Aborted):
        await books.wallets.update(
            request("rename", "version 7"), wallet, 7, WalletUpdate("a wallet")
        )
    renamed = await books.wallets.update(
        request("rename", "version 1"), wallet, 1, WalletUpdate("a wallet")
    )
    assert renamed.display_name == "a wallet"
