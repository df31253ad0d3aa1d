"""An enterprise and its tree on the whole stack: balance down and up, usage that others pay."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from privy.transaction.v1 import enterprise_pb2 as pb
from privy.transaction.v1 import enterprise_pb2_grpc, transaction_pb2
from privy.wallet.v1 import ledger_pb2, lot_pb2, wallet_pb2

from devstack.stack import Stack
from tests.acceptance.clients import (
    PRICE_MINOR,
    TIMEOUT_S,
    Caller,
    caller,
    failure_of,
    idr,
    new_id,
)
from tests.acceptance.finance import checked_documents

OWN = wallet_pb2.FUNDING_SOURCE_OWN
OWN_THEN_ANCESTORS = wallet_pb2.FUNDING_SOURCE_OWN_THEN_ANCESTORS
NEAREST_ANCESTOR = wallet_pb2.FUNDING_SOURCE_NEAREST_ANCESTOR


@dataclass(frozen=True, slots=True)
class Tree:
    """An enterprise whose head pays for what its two shops cannot."""

    client: Caller
    calls: "enterprise_pb2_grpc.EnterpriseServiceAsyncStub"
    head: str
    shop: str
    other_shop: str

    async def assign(
        self, giver: str, target: str, minor: int, version: int = 0
    ) -> transaction_pb2.Transaction:
        request = pb.AssignBalanceRequest(
            request_id=new_id(), wallet_id=giver, target_wallet_id=target, amount=idr(minor),
            wallet_version=version,
        )  # fmt: skip
        return (await self.calls.AssignBalance(request, timeout=TIMEOUT_S)).transaction

    async def unassign(self, giver: str, target: str, minor: int) -> transaction_pb2.Transaction:
        request = pb.UnassignBalanceRequest(
            request_id=new_id(), wallet_id=giver, target_wallet_id=target, amount=idr(minor)
        )
        return (await self.calls.UnassignBalance(request, timeout=TIMEOUT_S)).transaction

    async def posted(self, *wallet_ids: str) -> list[int]:
        return [(await self.client.balance(each)).posted_minor for each in wallet_ids]

    async def version(self, wallet_id: str) -> int:
        request = wallet_pb2.GetWalletRequest(wallet_id=wallet_id)
        return (await self.client.wallets.GetWallet(request, timeout=TIMEOUT_S)).wallet.version

    async def rename(self, wallet_id: str) -> None:
        """Change a wallet behind the front door's back."""
        request = wallet_pb2.UpdateWalletRequest(
            request_id=new_id(), wallet_id=wallet_id, display_name=new_id(),
            version=await self.version(wallet_id),
        )  # fmt: skip
        await self.client.wallets.UpdateWallet(request, timeout=TIMEOUT_S)


@pytest.fixture
async def tree(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tree]:
    host = stack.environment["FIRESTORE_EMULATOR_HOST"]
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", host)
    async with caller(stack.environment) as client:
        head = await node(client, "ENTERPRISE", "")
        yield Tree(
            client,
            enterprise_pb2_grpc.EnterpriseServiceStub(client.channel),
            head,
            await node(client, "MERCHANT", head, OWN_THEN_ANCESTORS),
            await node(client, "MERCHANT", head, NEAREST_ANCESTOR),
        )


async def node(
    client: Caller, role: str, parent: str, source: "wallet_pb2.FundingSource.ValueType" = OWN
) -> str:
    wallet = wallet_pb2.Wallet(
        type=wallet_pb2.WALLET_TYPE_ENTERPRISE, display_name=role, parent_wallet_id=parent
    )
    wallet.attributes["role"] = role
    wallet.policy.funding_source = source
    request = wallet_pb2.CreateWalletRequest(request_id=new_id(), wallet=wallet)
    return (await client.wallets.CreateWallet(request, timeout=TIMEOUT_S)).wallet.wallet_id


async def void(client: Caller, transaction_id: str) -> None:
    request = transaction_pb2.VoidTransactionRequest(
        request_id=new_id(), transaction_id=transaction_id
    )
    await client.transactions.VoidTransaction(request, timeout=TIMEOUT_S)


async def reason_of(call: Awaitable[object]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return failure_of(raised.value).reason


async def test_balance_goes_down_is_spent_and_comes_back(tree: Tree, stack: Stack) -> None:
    """Assigned, used with the head's help, committed in parts, voided, unassigned: to the sen.

    Finance's documents are the ledger's legs, one for one, and say the whole path.
    """
    client, price = tree.client, PRICE_MINOR
    await client.top_up(tree.head, 20 * price)
    assigned = await tree.assign(tree.head, tree.shop, 3 * price)
    assert (assigned.wallet_id, assigned.target_wallet_id) == (tree.head, tree.shop)
    assert await tree.posted(tree.head, tree.shop) == [17 * price, 3 * price]

    used = await client.use(tree.shop, 5)
    assert (used.target_wallet_id, used.amount) == ("", idr(5 * price))
    assert {each.wallet_id for each in used.balances_after} == {tree.head, tree.shop}
    assert await tree.posted(tree.head, tree.shop) == [15 * price, 0]

    booking_id = await client.book(tree.other_shop, 4)
    parts = [await client.commit(booking_id, quantity) for quantity in (1, 2)]
    assert [each.amount for each in parts] == [idr(price), idr(2 * price)]
    assert await tree.posted(tree.head, tree.other_shop) == [12 * price, 0]

    await void(client, used.transaction_id)
    assert await tree.posted(tree.head, tree.shop) == [14 * price, 3 * price]
    await tree.unassign(tree.shop, tree.head, 2 * price)
    assert await tree.posted(tree.head, tree.shop) == [16 * price, price]
    await documents_are_the_legs(tree, stack.environment["GOOGLE_CLOUD_PROJECT"])


async def documents_are_the_legs(tree: Tree, project: str) -> None:
    for wallet_id in (tree.head, tree.shop, tree.other_shop):
        is_head = wallet_id == tree.head
        for document in (await checked_documents(tree.client, project, wallet_id)).values():
            path = [each["wallet_id"] for each in document["path"]]
            assert path == ([tree.head] if is_head else [tree.head, wallet_id])
            assert document["enterprise_wallet_id"] == tree.head
            assert document["merchant_wallet_id"] == ("" if is_head else wallet_id)
            assert all(line["account_code"] for line in document["lines"])


async def test_balance_goes_only_along_a_branch(tree: Tree) -> None:
    """Not aside, not to somebody else's, and not the wrong way; and nothing has moved."""
    await tree.client.top_up(tree.head, 100)
    stranger = await tree.client.wallet(100)
    for giver, target in (
        (tree.shop, tree.other_shop),
        (tree.shop, tree.head),
        (tree.head, stranger),
        (stranger, tree.head),
    ):
        assert await reason_of(tree.assign(giver, target, 1)) == "NOT_BELOW"
        assert await reason_of(tree.unassign(target, giver, 1)) == "NOT_ABOVE"
    assert await reason_of(tree.assign(tree.head, "wal_999999999", 1)) == "WALLET_NOT_FOUND"
    assert await reason_of(tree.assign(tree.head, tree.shop, 101)) == "INSUFFICIENT_FUNDS"
    assert await tree.posted(tree.head, stranger) == [100, 100]


async def test_a_repeated_request_is_answered_as_at_first_though_the_tree_is_another(
    tree: Tree,
) -> None:
    """A shop got balance and was moved away: the same request has its answer, a new one none."""
    await tree.client.top_up(tree.head, 5000)
    request = pb.AssignBalanceRequest(
        request_id=new_id(), wallet_id=tree.head, target_wallet_id=tree.shop, amount=idr(10)
    )
    first = await tree.calls.AssignBalance(request, timeout=TIMEOUT_S)
    moved = wallet_pb2.MoveWalletRequest(
        request_id=new_id(), wallet_id=tree.shop, version=await tree.version(tree.shop),
        parent_wallet_id=await node(tree.client, "ENTERPRISE", ""),
    )  # fmt: skip
    await tree.client.wallets.MoveWallet(moved, timeout=TIMEOUT_S)
    assert await tree.calls.AssignBalance(request, timeout=TIMEOUT_S) == first
    assert await tree.posted(tree.head, tree.shop) == [4990, 10]
    assert await reason_of(tree.assign(tree.head, tree.shop, 10)) == "NOT_BELOW"


async def test_a_quote_says_whether_those_who_pay_could(tree: Tree) -> None:
    """The head's funds count for its shop, up to the shop's limit; nothing is set aside by it."""
    await tree.client.top_up(tree.head, 3 * PRICE_MINOR)
    for quantity, sufficient in ((3, True), (4, False)):
        quote = await tree.client.transactions.QuoteUsage(
            transaction_pb2.QuoteUsageRequest(
                wallet_id=tree.shop, product_code="API_CALL", quantity=quantity
            ),
            timeout=TIMEOUT_S,
        )
        assert quote.sufficient_funds == sufficient
    assert (await tree.client.balance(tree.head)).held_minor == 0


async def test_an_assignment_goes_by_the_version_that_was_read(tree: Tree) -> None:
    """Who read an older version of the wallet is refused; who says none is not."""
    await tree.client.top_up(tree.head, 100)
    read = await tree.version(tree.head)
    await tree.rename(tree.head)
    assert await reason_of(tree.assign(tree.head, tree.shop, 1, read)) == "VERSION_STALE"
    await tree.assign(tree.head, tree.shop, 1, read + 1)
    await tree.assign(tree.head, tree.shop, 1)
    assert await tree.posted(tree.head, tree.shop) == [98, 2]


async def test_a_wallet_that_was_changed_is_read_again(tree: Tree) -> None:
    """The front door knows wallets by heart; it notices, and the caller does not."""
    await tree.client.top_up(tree.head, 4 * PRICE_MINOR)
    for _ in range(3):
        await tree.client.use(tree.shop)
        await tree.rename(tree.shop)
    assert await tree.posted(tree.head) == [PRICE_MINOR]


async def test_commits_at_once_take_no_more_than_was_booked(tree: Tree) -> None:
    """Twelve callers want one unit of eight each: eight get it, and a repeat its first answer."""
    await tree.client.top_up(tree.head, 8 * PRICE_MINOR)
    booking_id = await tree.client.book(tree.shop, 8)

    async def take(request_id: str) -> str:
        while True:
            try:
                return (await tree.client.commit(booking_id, 1, request_id)).transaction_id
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.ABORTED:
                    return failure_of(error).reason

    ids = [new_id() for _ in range(12)]
    answers = await asyncio.gather(*map(take, ids))
    assert sum(each == "BOOKING_CLOSED" for each in answers) == 4
    assert len(set(answers)) == 9
    assert await asyncio.gather(*map(take, ids)) == answers
    assert await tree.posted(tree.head) == [0]


async def test_a_commit_of_more_than_is_left_says_how_much_is(tree: Tree) -> None:
    """Whether it is more than was booked, or than is left; what is left can still be taken."""
    await tree.client.top_up(tree.head, 3 * PRICE_MINOR)
    booking_id = await tree.client.book(tree.shop, 3)
    await tree.client.commit(booking_id, 1)
    for quantity in (3, 4):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await tree.client.commit(booking_id, quantity)
        failure = failure_of(raised.value)
        assert failure.reason == "BOOKING_EXCEEDED"
        assert failure.metadata["remaining_minor"] == str(2 * PRICE_MINOR)
        assert failure.metadata["needed_minor"] == str(quantity * PRICE_MINOR)
    await tree.client.commit(booking_id, 2)


async def test_an_add_on_is_a_lot_whose_expiry_can_be_extended(tree: Tree) -> None:
    """It is extended as a whole, keeps its kind, and finance hears of the money alone."""
    first = datetime.now(UTC) + timedelta(days=1)
    later = first + timedelta(days=30)
    add_on = pb.AddOnBalanceRequest(
        request_id=new_id(), wallet_id=tree.shop, amount=idr(300), priority=7
    )
    add_on.expire_time.FromDatetime(first)
    added = (await tree.calls.AddOnBalance(add_on, timeout=TIMEOUT_S)).transaction
    assert added.kind == ledger_pb2.TRANSACTION_KIND_TOP_UP
    (lot,) = await lots_of(tree)
    assert (lot.terms.kind, lot.terms.priority) == (lot_pb2.LOT_KIND_ADD_ON, 7)

    extend = pb.ExtendBalanceRequest(
        request_id=new_id(), wallet_id=tree.shop, lot_id=lot.lot_id, asset_code="IDR"
    )
    extend.expire_time.FromDatetime(later)
    extended = (await tree.calls.ExtendBalance(extend, timeout=TIMEOUT_S)).transaction
    assert extended.kind == ledger_pb2.TRANSACTION_KIND_EXTENSION
    (successor,) = await lots_of(tree)
    assert successor.terms.expire_time.ToDatetime(UTC) == later
    assert (successor.terms.kind, successor.remaining_minor) == (lot_pb2.LOT_KIND_ADD_ON, 300)
    assert await tree.posted(tree.shop) == [300]
    extend.request_id = new_id()
    again = tree.calls.ExtendBalance(extend, timeout=TIMEOUT_S)
    assert await reason_of(again) == "LOT_NOT_FOUND"


async def lots_of(tree: Tree) -> list[lot_pb2.Lot]:
    request = wallet_pb2.ListLotsRequest(wallet_id=tree.shop)
    return list((await tree.client.wallets.ListLots(request, timeout=TIMEOUT_S)).lots)
