"""What a reseller's customer pays, and who earns what of it, on the whole stack.

A document is sold at 1,000 by a reseller that buys it at 700 from another one, which buys it at 600
from the house; a vendor makes it at 150, and VAT of 11 % comes on top.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from privy.transaction.v1 import price_book_pb2 as prices
from privy.transaction.v1 import price_book_pb2_grpc, transaction_pb2
from privy.wallet.v1 import wallet_pb2

from devstack.stack import Stack
from tests.acceptance.clients import TIMEOUT_S, Caller, caller, idr, new_id
from tests.acceptance.finance import by_type, checked_documents

PRODUCT = "RESOLD_DOCUMENT"


@dataclass(frozen=True, slots=True)
class Chain:
    """A customer of a reseller that is a customer of a reseller."""

    client: Caller
    project: str
    upper: str
    lower: str
    customer: str

    async def use(self, wallet_id: str, quantity: int) -> str:
        request = transaction_pb2.RecordUsageRequest(
            request_id=new_id(), wallet_id=wallet_id, product_code=PRODUCT, quantity=quantity
        )
        used = await self.client.transactions.RecordUsage(request, timeout=TIMEOUT_S)
        return used.transaction.transaction_id

    async def posted(self) -> list[int]:
        wallets = (self.customer, self.lower, self.upper)
        return [(await self.client.balance(each)).posted_minor for each in wallets]

    async def document(self, transaction_id: str) -> Mapping[str, Any]:
        found = await checked_documents(self.client, self.project, self.customer)
        document: Mapping[str, Any] = found[transaction_id]
        return document


@pytest.fixture
async def chain(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Chain]:
    host = stack.environment["FIRESTORE_EMULATOR_HOST"]
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", host)
    async with caller(stack.environment) as client:
        upper = await opened(client, wallet_pb2.WALLET_TYPE_RESELLER, "")
        lower = await opened(client, wallet_pb2.WALLET_TYPE_RESELLER, upper)
        customer = await opened(client, wallet_pb2.WALLET_TYPE_PERSONAL, lower)
        await publish(client, {lower: 1000, upper: 700})
        await client.top_up(customer, 10_000)
        project = stack.environment["GOOGLE_CLOUD_PROJECT"]
        yield Chain(client, project, upper, lower, customer)


async def opened(
    client: Caller, wallet_type: "wallet_pb2.WalletType.ValueType", parent: str
) -> str:
    wallet = wallet_pb2.Wallet(type=wallet_type, display_name="one", parent_wallet_id=parent)
    request = wallet_pb2.CreateWalletRequest(request_id=new_id(), wallet=wallet)
    return (await client.wallets.CreateWallet(request, timeout=TIMEOUT_S)).wallet.wallet_id


async def publish(client: Caller, retail: Mapping[str, int]) -> None:
    """Publish today's book with the product, sold on by resellers; wait until it holds."""
    books = price_book_pb2_grpc.PriceBookServiceStub(client.channel)
    now = prices.GetPriceBookRequest()
    book = (await books.GetPriceBook(now, timeout=TIMEOUT_S)).price_book
    kept = [each for each in book.products if each.product_code != PRODUCT]
    request = prices.PublishPriceBookRequest(
        request_id=new_id(),
        price_book=prices.PriceBook(
            version=new_id(),
            assets=book.assets,
            taxes=[prices.Tax(tax_code="VAT", rate_basis_points=1100)],
            products=[*kept, product()],
            overrides=[
                prices.PriceOverride(
                    reseller_wallet_id=each, product_code=PRODUCT, price=flat(minor)
                )
                for each, minor in retail.items()
            ],
        ),
    )
    await books.PublishPriceBook(request, timeout=TIMEOUT_S)
    async with asyncio.timeout(TIMEOUT_S):
        while book.version != request.price_book.version:
            await asyncio.sleep(0.1)
            book = (await books.GetPriceBook(now, timeout=TIMEOUT_S)).price_book


def product() -> prices.Product:
    return prices.Product(
        product_code=PRODUCT,
        asset_code="IDR",
        price=flat(600),
        tax_code="VAT",
        vendor_cost=prices.VendorCost(vendor_code="CA", asset_code="IDR", cost=flat(150)),
    )


def flat(unit_minor: int) -> prices.Price:
    return prices.Price(kind=prices.PRICE_KIND_FLAT, unit_minor=unit_minor)


THREE = [
    ("REVENUE", -1800),
    ("MARGIN", -900),
    ("MARGIN", -300),
    ("TAX", -330),
    ("COST", 450),
    ("VENDOR_PAYABLE", -450),
    ("DEFERRED_REVENUE", 3330),
]


async def test_retail_wholesale_margins_tax_and_cost_are_one_transaction(chain: Chain) -> None:
    """Three documents, 3,330: the house earns 1,800, the resellers 900 and 300, the state 330."""
    used = await chain.use(chain.customer, 3)
    assert await chain.posted() == [6670, 900, 300]
    document = await chain.document(used)
    assert sorted(by_type(document)) == sorted(THREE)
    assert document["seller_wallet_ids"] == [chain.lower, chain.upper]
    assert document["reseller_wallet_id"] == chain.lower
    path = [each["wallet_id"] for each in document["path"]]
    assert path == [chain.upper, chain.lower, chain.customer]
    vendors = {line["vendor_code"] for line in document["lines"] if line["type"].endswith("COST")}
    taxes = {line["tax_code"] for line in document["lines"] if line["type"].endswith("TAX")}
    assert (vendors, taxes) == ({"CA"}, {"VAT"})


async def test_a_refund_takes_the_margins_back(chain: Chain) -> None:
    """In parts: whatever is left over by rounding, the whole is nothing, on every wallet."""
    used = await chain.use(chain.customer, 3)
    lines = []
    for minor in (1, 1000, 0):
        request = transaction_pb2.VoidTransactionRequest(
            request_id=new_id(), transaction_id=used, amount=idr(minor) if minor else None
        )
        voided = await chain.client.transactions.VoidTransaction(request, timeout=TIMEOUT_S)
        document = await chain.document(voided.transaction.transaction_id)
        assert document["voids_transaction_id"] == used
        lines += by_type(document)
    assert await chain.posted() == [10_000, 0, 0]
    assert {name: -minor for name, minor in THREE if name != "MARGIN"} | {"MARGIN": 1200} == {
        name: sum(minor for each, minor in lines if each == name) for name, _ in THREE
    }


async def test_parts_of_a_booking_earn_what_the_whole_does(chain: Chain) -> None:
    """Booked at once and committed one by one, it is the same three documents."""
    book = transaction_pb2.BookUsageRequest(
        request_id=new_id(), wallet_id=chain.customer, product_code=PRODUCT, quantity=3
    )
    booked = await chain.client.transactions.BookUsage(book, timeout=TIMEOUT_S)
    assert booked.transaction.amount == idr(3330)
    for _ in range(3):
        commit = transaction_pb2.CommitUsageRequest(
            request_id=new_id(), booking_id=booked.transaction.booking_id, quantity=1
        )
        await chain.client.transactions.CommitUsage(commit, timeout=TIMEOUT_S)
    assert await chain.posted() == [6670, 900, 300]


async def test_a_reseller_pays_wholesale_for_itself(chain: Chain) -> None:
    """At 700 and VAT of 77: the one above it earns, and it does not earn of itself."""
    await chain.client.top_up(chain.lower, 1000)
    used = await chain.use(chain.lower, 1)
    assert await chain.posted() == [10_000, 223, 100]
    documents = await checked_documents(chain.client, chain.project, chain.lower)
    assert ("MARGIN", -100) in by_type(documents[used])
    assert ("DEFERRED_REVENUE", 777) in by_type(documents[used])
