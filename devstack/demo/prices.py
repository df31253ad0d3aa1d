"""The second price book of the story: a product with tax that a reseller buys and sells on.

All else stays as it is, so that nothing that happens meanwhile is priced anew.
"""

import asyncio

import grpc
from privy.transaction.v1 import price_book_pb2 as pb
from privy.transaction.v1 import price_book_pb2_grpc, transaction_pb2

from devstack.demo.desk import Desk
from shared.rpc_client import error_of

VERSION = "demo-resale"
PRODUCT_CODE = "ESEAL_DOCUMENT"
HOUSE_MINOR, WHOLESALE_MINOR, RETAIL_MINOR, COST_MINOR = 600_000, 400_000, 700_000, 200_000
HOLDS_DEADLINE_S = 30.0
POLL_S = 0.1


async def publish_resale(channel: grpc.aio.Channel, reseller: str) -> None:
    """Publish the version in force with the product added; it holds in 5 s."""
    books: price_book_pb2_grpc.PriceBookServiceAsyncStub
    books = price_book_pb2_grpc.PriceBookServiceStub(channel)
    in_force = (await books.GetPriceBook(pb.GetPriceBookRequest())).price_book
    price_book = with_resale(in_force, reseller)
    await books.PublishPriceBook(
        pb.PublishPriceBookRequest(request_id="prices-1", price_book=price_book)
    )


def with_resale(price_book: pb.PriceBook, reseller: str) -> pb.PriceBook:
    """Add the product, with what the reseller pays for it and what it sells it at."""
    return pb.PriceBook(
        version=VERSION,
        assets=price_book.assets,
        taxes=[*price_book.taxes, pb.Tax(tax_code="VAT", rate_basis_points=1100)],
        products=[*price_book.products, _product()],
        overrides=[
            *price_book.overrides,
            pb.PriceOverride(
                wallet_id=reseller, product_code=PRODUCT_CODE, price=_flat(WHOLESALE_MINOR)
            ),
            pb.PriceOverride(
                reseller_wallet_id=reseller, product_code=PRODUCT_CODE, price=_flat(RETAIL_MINOR)
            ),
        ],
    )


async def wait_for_quote(
    desk: Desk, wallet_id: str, quantity: int
) -> transaction_pb2.QuoteUsageResponse:
    """Ask for the product's price until it is sold; raises `TimeoutError` after 30 s."""
    async with asyncio.timeout(HOLDS_DEADLINE_S):
        while True:
            try:
                return await desk.quote(wallet_id, PRODUCT_CODE, quantity)
            except grpc.aio.AioRpcError as failure:
                if error_of(failure, "STACK").reason != "PRODUCT_UNKNOWN":
                    raise
            await asyncio.sleep(POLL_S)


def _product() -> pb.Product:
    return pb.Product(
        product_code=PRODUCT_CODE,
        asset_code="IDR",
        price=_flat(HOUSE_MINOR),
        tax_code="VAT",
        vendor_cost=pb.VendorCost(
            vendor_code="CERTIFICATE_AUTHORITY", asset_code="IDR", cost=_flat(COST_MINOR)
        ),
    )


def _flat(unit_minor: int) -> pb.Price:
    return pb.Price(kind=pb.PRICE_KIND_FLAT, unit_minor=unit_minor)
