"""A reseller sells to a customer of its own, and one of four units is taken back."""

from dataclasses import dataclass

from privy.transaction.v1 import transaction_pb2 as pb

from devstack.demo.cast import Cast
from devstack.demo.desk import Booked, Desk
from devstack.demo.prices import PRODUCT_CODE, wait_for_quote


@dataclass(frozen=True, slots=True)
class Resale:
    """A sale of four units, of which one is taken back."""

    top_up: Booked
    quote: pb.QuoteUsageResponse
    usage: Booked
    void: Booked

    def booked(self) -> tuple[Booked, ...]:
        return (self.top_up, self.usage, self.void)


async def resell(desk: Desk, cast: Cast) -> Resale:
    """Sell once the reseller's prices hold; raises `TimeoutError` if they never do."""
    customer = cast.customer.wallet_id
    top_up = await desk.top_up("pocket-1", customer, "IDR", 5_000_000)
    quote = await wait_for_quote(desk, customer, 4)
    usage = await desk.use("seal-1", customer, PRODUCT_CODE, 4)
    return Resale(
        top_up=top_up,
        quote=quote,
        usage=usage,
        void=await desk.void("seal-2", usage.answer.transaction_id, "IDR", 777_000),
    )
