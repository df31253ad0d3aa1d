"""Trees of wallets on a real Postgres: created, changed, moved."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.errors import DomainError, InvalidArgument
from tests import plans
from tests.books import Books, request
from tests.databases import WalletDatabase
from tests.families import FAMILY_MODELS, POCKET_MONEY
from wallet_service import errors
from wallet_service.directory import Directory
from wallet_service.drafts import NewWallet, WalletUpdate
from wallet_service.models.registry import MODELS
from wallet_service.store import connections
from wallet_service.store.connections import connection
from wallet_service.store.wallets import Wallet
from wallet_service.wallets import Wallets

WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def node(books: Books, parent: Wallet | None = None, role: str = "CHANNEL") -> Wallet:
    """Create a node of an enterprise."""
    new = NewWallet("ENTERPRISE", "a node", parent.wallet_id if parent else None, {"role": role})
    return await books.wallets.create(request(), new)


async def chain(books: Books, length: int) -> list[Wallet]:
    """Create nodes, each under the one before."""
    nodes: list[Wallet] = []
    for _ in range(length):
        nodes.append(await node(books, nodes[-1] if nodes else None))
    return nodes


async def move(books: Books, wallet: Wallet, parent: Wallet | None) -> Wallet:
    now = await books.wallets.get(wallet.wallet_id)
    return await books.wallets.move(
        request(), wallet.wallet_id, now.version, parent.wallet_id if parent else None
    )


async def paths(books: Books, wallets: Sequence[Wallet]) -> list[list[int]]:
    found = await books.wallets.several([each.wallet_id for each in wallets])
    by_id = {each.wallet_id: each.path for each in found}
    return [by_id[each.wallet_id] for each in wallets]


async def reason_of_move(books: Books, wallet: Wallet, parent: Wallet | None) -> str:
    with pytest.raises(DomainError) as refused:
        await move(books, wallet, parent)
    return refused.value.reason


async def test_a_wallet_is_created_with_all_it_has(books: Books) -> None:
    """Attributes are completed, the policy is stored, the path leads down to the parent."""
    top = await node(books, role="ENTERPRISE")
    limits = [{"asset_code": "IDR", "limit_minor": 5, "period": "DAY", "product_code": ""}]
    policy = {"funding_source": "NEAREST_ANCESTOR", "limits": limits, "time_zone": "Asia/Jakarta"}
    new = NewWallet("ENTERPRISE", "shop", top.wallet_id, {"role": "MERCHANT"}, policy)
    made = await books.wallets.create(request(), new)
    assert made == await books.wallets.get(made.wallet_id)
    assert (made.attributes, made.policy) == ({"version": 1, "role": "MERCHANT"}, policy)
    assert made.path == [top.wallet_id]


async def test_every_fault_of_a_new_wallet_is_told_at_once(books: Books) -> None:
    """Attributes and policy are checked together; then assets, all of them, must be registered."""
    policy = {"limits": [{"asset_code": "IDR", "limit_minor": -1, "period": "DAY"}]}
    with pytest.raises(InvalidArgument) as refused:
        await books.wallets.create(request(), NewWallet("PERSONAL", "x", None, {"l": 1}, policy))
    fields = [each.field for each in refused.value.violations]
    assert fields == ["wallet.attributes.l", "wallet.policy.limits[0].limit_minor"]
    codes = ["NOPE", "IDR", "NADA"]
    limits = [{"asset_code": code, "limit_minor": 1, "period": "DAY"} for code in codes]
    with pytest.raises(InvalidArgument) as refused:
        await books.wallets.create(
            request(), NewWallet("PERSONAL", "x", None, {}, {"limits": limits})
        )
    fields = [each.field for each in refused.value.violations]
    assert fields == [f"wallet.policy.limits[{index}].asset_code" for index in (0, 2)]
    assert refused.value.reason == errors.ASSET_UNKNOWN


async def test_a_new_wallet_must_fit_its_parent(books: Books) -> None:
    """Unfit parents and trees too deep are refused; a role that is needed is asked for."""
    person = await books.wallet()
    with pytest.raises(DomainError) as refused:
        await books.wallets.create(request(), NewWallet("ENTERPRISE", "x", person))
    assert refused.value.reason == errors.PARENT_UNFIT
    lowest = (await chain(books, 8))[-1]
    with pytest.raises(DomainError) as refused:
        await node(books, lowest)
    assert refused.value.reason == errors.TREE_TOO_DEEP
    with pytest.raises(InvalidArgument) as missing:
        await books.wallets.create(request(), NewWallet("ENTERPRISE", "x", lowest.wallet_id))
    assert [each.field for each in missing.value.violations] == ["wallet.attributes.role"]


async def test_an_update_replaces_what_it_says(books: Books) -> None:
    """Name, attributes and policy change one by one, each under a new version; a role stays."""
    made = await node(books, role="MERCHANT")
    policy = {"funding_source": "OWN", "limits": [], "time_zone": "Asia/Tokyo"}
    updates = [
        WalletUpdate(display_name="new"),
        WalletUpdate(policy=policy),
        WalletUpdate(attributes={}),
    ]
    for version, update in enumerate(updates, 1):
        await books.wallets.update(request(), made.wallet_id, version, update)
    now = await books.wallets.get(made.wallet_id)
    assert (now.display_name, now.policy, now.version) == ("new", policy, 4)
    assert now.attributes == made.attributes
    faulty = WalletUpdate(attributes={"role": "CHANNEL"}, policy={"time_zone": "x"})
    with pytest.raises(InvalidArgument) as refused:
        await books.wallets.update(request(), made.wallet_id, 4, faulty)
    fields = [each.field for each in refused.value.violations]
    assert fields == ["policy.time_zone", "attributes.role"]
    with pytest.raises(DomainError) as stale:
        await books.wallets.update(request(), made.wallet_id, 3, updates[0])
    assert stale.value.reason == errors.VERSION_STALE


async def test_a_move_takes_all_below_along(books: Books) -> None:
    """Every path below is new and every version grows; who stands elsewhere stays as it was."""
    a, b, c, d = await chain(books, 4)
    beside = await node(books, a)
    other = await node(books)
    moved = await move(books, b, other)
    assert (moved.parent_wallet_id, moved.version) == (other.wallet_id, 2)
    a_id, b_id, c_id, o_id = a.wallet_id, b.wallet_id, c.wallet_id, other.wallet_id
    expected = [[], [o_id], [o_id, b_id], [o_id, b_id, c_id], [a_id], []]
    assert await paths(books, [a, b, c, d, beside, other]) == expected
    found = await books.wallets.several([a_id, b_id, c_id, d.wallet_id])
    assert {each.wallet_id: each.version for each in found} == {
        a_id: 1,
        b_id: 2,
        c_id: 2,
        d.wallet_id: 2,
    }
    await move(books, b, None)
    assert await paths(books, [b, c, d]) == [[], [b_id], [b_id, c_id]]


async def test_a_repeated_move_moves_once(books: Books) -> None:
    """The same request id answers the wallet as it stands, and changes nothing more."""
    a, b = await chain(books, 2)
    once = request("move")
    first = await books.wallets.move(once, b.wallet_id, 1, None)
    assert first == await books.wallets.move(once, b.wallet_id, 1, None)
    assert first.version == 2
    assert a.wallet_id not in first.path


async def test_what_may_not_be_moved(books: Books) -> None:
    """A circle, an unfit parent, too deep a tree, a stale version: each has its reason."""
    a, b, c = await chain(books, 3)
    merchant = await node(books, role="MERCHANT")
    deep = (await chain(books, 6))[-1]
    assert await reason_of_move(books, a, a) == errors.PARENT_UNFIT
    assert await reason_of_move(books, a, c) == errors.PARENT_UNFIT
    assert await reason_of_move(books, merchant, a) == errors.PARENT_UNFIT
    assert await reason_of_move(books, a, deep) == errors.TREE_TOO_DEEP
    with pytest.raises(DomainError) as refused:
        await books.wallets.move(request(), b.wallet_id, 7, None)
    assert refused.value.reason == errors.VERSION_STALE
    with pytest.raises(DomainError) as refused:
        await books.wallets.move(request(), b.wallet_id, 1, 999_999)
    assert refused.value.reason == errors.WALLET_NOT_FOUND
    assert await paths(books, [a, b, c]) == [[], [a.wallet_id], [a.wallet_id, b.wallet_id]]


async def test_an_open_booking_keeps_a_tree_where_it_is(books: Books) -> None:
    """While a wallet below has money set aside nothing moves; once it is set free, it does."""
    a, b, c = await chain(books, 3)
    await books.post(plans.top_up(c.wallet_id, 100))
    booking = await books.post(plans.booking(c.wallet_id, 40))
    assert await reason_of_move(books, b, None) == errors.BOOKINGS_OPEN
    await books.post(plans.cancellation(c.wallet_id, booking.transaction_id))
    await move(books, b, None)
    assert await paths(books, [a, b]) == [[], []]


async def test_a_booking_paid_from_above_keeps_a_wallet_where_it_is(
    books: Books, wallet_database: WalletDatabase
) -> None:
    """What is set aside on an ancestor counts as the booking's own wallet's, and only as that."""
    a, b = await chain(books, 2)
    beside = await node(books, a)
    await books.post(plans.top_up(a.wallet_id, 100))
    booking = await books.post(plans.booking(a.wallet_id, 40))
    await _book_for(wallet_database, booking.booking_id or 0, b.wallet_id)
    assert await reason_of_move(books, b, None) == errors.BOOKINGS_OPEN
    await move(books, beside, None)


async def _book_for(database: WalletDatabase, booking_id: int, wallet_id: int) -> None:
    """Make a booking another wallet's, as if it were paid from above."""
    async with await connections.open_pool(database.owner_url, 1) as pool:
        await pool.execute("ALTER TABLE transactions DISABLE TRIGGER ALL")
        changed = await pool.execute(
            "UPDATE transactions SET wallet_id = $2 WHERE transaction_id = $1",
            booking_id,
            wallet_id,
        )
        assert changed == "UPDATE 1"


async def test_moves_that_race_close_no_circle(books: Books) -> None:
    """Of two wallets that are put under each other at once, one goes and one is refused."""
    for _ in range(5):
        a, b = await node(books), await node(books)
        answers = await asyncio.gather(move(books, a, b), move(books, b, a), return_exceptions=True)
        reasons = [each.reason for each in answers if isinstance(each, DomainError)]
        assert len(reasons) == 1
        assert set(reasons) <= {errors.PARENT_UNFIT, errors.VERSION_STALE}


async def test_a_change_that_was_under_way_makes_a_move_stale(
    books: Books, wallet_database: WalletDatabase
) -> None:
    """A move that waits for another change of its wallet sees the version that it left."""
    a, b = await chain(books, 2)
    async with await connections.open_pool(wallet_database.owner_url, 2) as pool:
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute(
                "UPDATE wallets SET version = version + 1 WHERE wallet_id = $1", b.wallet_id
            )
            moving = asyncio.create_task(reason_of_move(books, b, None))
            while not await pool.fetchval(WAITING):
                assert not moving.done()
                await asyncio.sleep(0.01)
        assert await moving == errors.VERSION_STALE
    assert await paths(books, [b]) == [[a.wallet_id]]


async def test_a_move_misses_no_wallet_that_is_being_created(books: Books) -> None:
    """Whatever is created below while a tree moves has the path that its parent has."""
    a, b = await chain(books, 2)
    places: list[Wallet | None] = [None, a]
    for place in 3 * places:
        made, *_ = await asyncio.gather(
            node(books, b), move(books, b, place), *(node(books, b) for _ in range(6))
        )
        assert made.parent_wallet_id == b.wallet_id
    below = await books.wallets.page(b.wallet_id, b.wallet_id, 100)
    assert len(below) == 42
    (path,) = await paths(books, [b])
    assert {tuple(each.path) for each in below} == {(*path, b.wallet_id)}


async def test_wallets_are_listed_by_pages_all_or_those_below_one(books: Books) -> None:
    """In the order of their ids, each once; only the next level counts as below."""
    a, b = await chain(books, 2)
    c = await node(books, a)
    d = await node(books, b)
    below: dict[int | None, list[Wallet]] = {
        None: [a, b, c, d], a.wallet_id: [b, c], b.wallet_id: [d], d.wallet_id: [],
    }  # fmt: skip
    for parent_wallet_id, wanted in below.items():
        found: list[int] = []
        after = a.wallet_id - 1
        while page := await books.wallets.page(after, parent_wallet_id, 1):
            found += [each.wallet_id for each in page]
            after = found[-1]
        assert found == [each.wallet_id for each in wanted]


async def test_a_change_is_seen_by_who_had_cached(books: Books) -> None:
    """Every change of a wallet makes the epoch grow, so that other processes forget."""
    a, b = await chain(books, 2)
    directory = Directory(MODELS)
    changes = [
        books.wallets.update(request(), a.wallet_id, 1, WalletUpdate(policy={})),
        books.wallets.update(request(), a.wallet_id, 2, WalletUpdate(display_name="new")),
        books.wallets.freeze(request(), a.wallet_id),
        books.wallets.move(request(), b.wallet_id, 1, None),
    ]
    async with connection(books.pool) as conn:
        assert directory.epoch is None
        before = (await directory.nodes(conn, [a.wallet_id, b.wallet_id]))[a.wallet_id]
        for change in changes:
            epoch = directory.epoch
            await change
            assert (await directory.nodes(conn, [a.wallet_id]))[a.wallet_id] is before
            directory.forget()
            after = await directory.nodes(conn, [a.wallet_id, b.wallet_id])
            before = after[a.wallet_id]
            assert directory.epoch == (epoch or 0) + 1
        assert (after[a.wallet_id].version, after[b.wallet_id].version) == (4, 2)


async def test_what_is_known_is_of_one_epoch(books: Books) -> None:
    """A node that is read after a change takes those read before it along to the new epoch."""
    a, b = await chain(books, 2)
    directory = Directory(MODELS)
    async with connection(books.pool) as conn:
        await directory.nodes(conn, [a.wallet_id])
        await books.wallets.update(request(), a.wallet_id, 1, WalletUpdate(display_name="new"))
        nodes = await directory.nodes(conn, [a.wallet_id, b.wallet_id])
    assert nodes[a.wallet_id].version == 2


async def test_creating_costs_no_epoch(books: Books) -> None:
    """A wallet that was not there is not known as absent, so that its creation is seen at once."""
    directory = Directory(MODELS)
    async with connection(books.pool) as conn:
        a = await node(books)
        assert await directory.nodes(conn, [a.wallet_id + 1]) == {}
        epoch = directory.epoch
        b = await node(books, a)
        assert b.wallet_id == a.wallet_id + 1
        assert set(await directory.nodes(conn, [b.wallet_id, 7])) == {b.wallet_id}
        assert directory.epoch == epoch


async def test_the_directory_is_bounded(books: Books) -> None:
    """It starts anew where it would know too many, and still answers all that is asked."""
    wallets = [each.wallet_id for each in await chain(books, 5)]
    directory = Directory(MODELS, max_known=3)
    async with connection(books.pool) as conn:
        for first in range(3):
            wanted = wallets[first : first + 3]
            assert set(await directory.nodes(conn, wanted)) == set(wanted)


async def test_a_new_wallet_type_needs_a_model_and_a_line(books: Books) -> None:
    """A family, as in docs/wallet-models.md: created, topped up, spending as its rule says."""
    wallets = Wallets(books.pool, FAMILY_MODELS)
    parent = await wallets.create(request(), NewWallet("FAMILY", "Ibu"))
    child = NewWallet("FAMILY", "a child", parent.wallet_id, {"version": 1, "is_child": True},
                      {"funding_source": "NEAREST_ANCESTOR"})  # fmt: skip
    budi = await wallets.create(request(), child)
    assert budi.attributes == {"version": 2, "member": "CHILD"}
    await books.post(plans.top_up(parent.wallet_id, 100))
    await books.post(plans.usage(parent.wallet_id, 40))
    assert await books.available(parent.wallet_id) == 60
    async with connection(books.pool) as conn:
        nodes = await Directory(FAMILY_MODELS).nodes(conn, [budi.wallet_id])
    assert nodes[budi.wallet_id].payers == (parent.wallet_id,)
    assert [each.limit_minor for each in nodes[budi.wallet_id].limits] == [POCKET_MONEY.limit_minor]
