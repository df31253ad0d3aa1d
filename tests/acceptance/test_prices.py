"""Price books and quotes as callers meet them, with every process real."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from privy.transaction.v1 import price_book_pb2, price_book_pb2_grpc
from privy.transaction.v1 import transaction_pb2 as pb

from devstack.stack import Stack
from tests.acceptance.clients import TIMEOUT_S, Caller, caller, failure_of, idr, new_id

PRODUCT = "QUOTED"


class PriceCaller:
    def __init__(self, client: Caller) -> None:
        self.client = client
        self.books = price_book_pb2_grpc.PriceBookServiceStub(client.channel)

    async def in_force(self) -> price_book_pb2.PriceBook:
        request = price_book_pb2.GetPriceBookRequest()
        return (await self.books.GetPriceBook(request, timeout=TIMEOUT_S)).price_book

    async def sell_at(self, unit_minor: int) -> str:
        """Publish today's book with one more product; wait until that holds; answer its version."""
        book = await self.in_force()
        book.version = new_id()
        book.ClearField("effective_time")
        book.ClearField("create_time")
        kept = [each for each in book.products if each.product_code != PRODUCT]
        price = price_book_pb2.Price(kind=price_book_pb2.PRICE_KIND_FLAT, unit_minor=unit_minor)
        sold = price_book_pb2.Product(product_code=PRODUCT, asset_code="IDR", price=price)
        del book.products[:]
        book.products.extend([*kept, sold])
        await self.books.PublishPriceBook(
            price_book_pb2.PublishPriceBookRequest(request_id=new_id(), price_book=book),
            timeout=TIMEOUT_S,
        )
        async with asyncio.timeout(TIMEOUT_S):
            while (await self.in_force()).version != book.version:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return book.version

    async def quote(self, wallet_id: str) -> pb.QuoteUsageResponse:
        request = pb.QuoteUsageRequest(wallet_id=wallet_id, product_code=PRODUCT, quantity=3)
        return await self.client.transactions.QuoteUsage(request, timeout=TIMEOUT_S)

    async def use(self, wallet_id: str, quote_id: str = "", quantity: int = 3) -> pb.Transaction:
        request = pb.RecordUsageRequest(
            request_id=new_id(),
            wallet_id=wallet_id,
            product_code=PRODUCT,
            quantity=quantity,
            quote_id=quote_id,
        )
        return (await self.client.transactions.RecordUsage(request, timeout=TIMEOUT_S)).transaction


@pytest.fixture
async def prices(stack: Stack) -> AsyncIterator[PriceCaller]:
    async with caller(stack.environment) as client:
        yield PriceCaller(client)


async def test_a_quote_is_honoured_after_prices_have_changed(prices: PriceCaller) -> None:
    """What was quoted at 100 is sold at 100, booked or used; without the quote it is 200."""
    wallet_id = await prices.client.wallet(10_000)
    old = await prices.sell_at(100)
    quoted = await prices.quote(wallet_id)
    assert (quoted.total, quoted.price_book_version) == (idr(300), old)
    new = await prices.sell_at(200)
    used = await prices.use(wallet_id, quoted.quote_id)
    assert (used.amount, used.price_book_version) == (idr(300), old)
    request = pb.BookUsageRequest(
        request_id=new_id(),
        wallet_id=wallet_id,
        product_code=PRODUCT,
        quantity=3,
        quote_id=quoted.quote_id,
    )
    booked = await prices.client.transactions.BookUsage(request, timeout=TIMEOUT_S)
    assert (booked.transaction.amount, booked.transaction.price_book_version) == (idr(300), old)
    used = await prices.use(wallet_id)
    assert (used.amount, used.price_book_version) == (idr(600), new)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await prices.use(wallet_id, quoted.quote_id, quantity=4)
    failure = failure_of(refused.value)
    assert (failure.reason, failure.fields) == ("QUOTE_INVALID", ("quote_id",))


async def test_a_new_version_names_its_faults_and_needs_notice(prices: PriceCaller) -> None:
    """The edge tells every fault of a book; and a time too soon, with the earliest."""
    book = await prices.in_force()
    book.ClearField("create_time")
    book.version = new_id()
    book.effective_time.CopyFrom(Timestamp(seconds=1))
    request = price_book_pb2.PublishPriceBookRequest(request_id=new_id(), price_book=book)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await prices.books.PublishPriceBook(request, timeout=TIMEOUT_S)
    failure = failure_of(refused.value)
    assert (failure.code, failure.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "EFFECTIVE_TIME_PAST",
    )
    assert "earliest_time" in failure.metadata
    request.price_book.products[0].price.unit_minor = -1
    request.price_book.assets[0].ClearField("scale")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await prices.books.PublishPriceBook(request, timeout=TIMEOUT_S)
    assert failure_of(refused.value).fields == (
        "price_book.assets[0].scale",
        "price_book.products[0].price.unit_minor",
    )


async def test_versions_are_listed_by_page(prices: PriceCaller) -> None:
    """Page by page, the last first, each once; what is no token is refused."""
    await prices.sell_at(100)
    request = price_book_pb2.ListPriceBooksRequest(page_size=1)
    versions: list[str] = []
    while not versions or request.page_token:
        page = await prices.books.ListPriceBooks(request, timeout=TIMEOUT_S)
        versions += [each.version for each in page.price_books]
        request.page_token = page.next_page_token
    assert versions[0] == (await prices.in_force()).version
    assert versions[-1] == "2026-11"
    assert len(set(versions)) == len(versions)
    request.page_token = versions[0]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await prices.books.ListPriceBooks(request, timeout=TIMEOUT_S)
    assert failure_of(refused.value).fields == ("page_token",)


async def test_a_book_full_of_faults_is_still_answered(prices: PriceCaller) -> None:
    """More faults than an error has room for: the first are told, and the number of the others."""
    bad = price_book_pb2.Product(product_code="x" * 65)
    book = price_book_pb2.PriceBook(version="bad", products=[bad] * 1000)
    request = price_book_pb2.PublishPriceBookRequest(request_id=new_id(), price_book=book)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await prices.books.PublishPriceBook(request, timeout=TIMEOUT_S)
    failure = failure_of(refused.value)
    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
    assert failure.fields[0] == "price_book.assets"
    assert failure.fields[-1] == "price_book"
    assert len(failure.fields) > 30
