"""An enterprise: balance goes down its tree, its channels use it, and the rest comes back."""

from dataclasses import dataclass

from devstack.demo.acts.personal import BookedUsage
from devstack.demo.cast import Cast
from devstack.demo.desk import Booked, Desk, refused
from shared.errors import DomainError


@dataclass(frozen=True, slots=True)
class Branches:
    """Who pays for what each part of the tree uses, and where it ends."""

    funding: tuple[Booked, ...]
    shared_usage: Booked
    booked_usage: BookedUsage
    refusal: DomainError
    quota_usage: Booked
    returns: tuple[Booked, ...]

    def booked(self) -> tuple[Booked, ...]:
        return (
            *self.funding,
            self.shared_usage,
            *self.booked_usage.booked(),
            self.quota_usage,
            *self.returns,
        )


async def use_tree(desk: Desk, cast: Cast) -> Branches:
    south, kiosk = cast.south_merchant.wallet_id, cast.kiosk_channel.wallet_id
    return Branches(
        funding=await _fund(desk, cast),
        shared_usage=await desk.use("web-1", cast.web_channel.wallet_id, "ESIGN_DOCUMENT", 3),
        booked_usage=await _book(desk, kiosk),
        refusal=await refused(desk.use("kiosk-4", kiosk, "ESIGN_DOCUMENT", 3)),
        quota_usage=await desk.use("south-1", south, "ESIGN_DOCUMENT_QUOTA", 6),
        returns=await _return(desk, cast),
    )


async def _fund(desk: Desk, cast: Cast) -> tuple[Booked, ...]:
    head, north = cast.enterprise.wallet_id, cast.north_merchant.wallet_id
    south, web = cast.south_merchant.wallet_id, cast.web_channel.wallet_id
    return (
        await desk.top_up("fund-1", head, "IDR", 10_000_000),
        await desk.top_up("fund-2", head, "ESIGN", 60),
        await desk.assign("assign-1", head, north, "IDR", 3_000_000),
        await desk.assign("assign-2", north, web, "IDR", 800_000),
        await desk.assign("assign-3", head, south, "ESIGN", 40),
    )


async def _book(desk: Desk, kiosk: str) -> BookedUsage:
    booking = await desk.book("kiosk-1", kiosk, "EKYC_CHECK", 8)
    booking_id = booking.answer.booking_id
    return BookedUsage(
        booking=booking,
        commit=await desk.commit("kiosk-2", booking_id, 5),
        cancellation=await desk.cancel("kiosk-3", booking_id),
    )


async def _return(desk: Desk, cast: Cast) -> tuple[Booked, ...]:
    head, north = cast.enterprise.wallet_id, cast.north_merchant.wallet_id
    return (
        await desk.unassign("return-1", north, head, "IDR", 1_000_000),
        await desk.unassign("return-2", cast.south_merchant.wallet_id, head, "ESIGN", 30),
    )
