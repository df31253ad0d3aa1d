"""A person, and a friend: money that is spent, refused, booked, given and taken back."""

from dataclasses import dataclass

from privy.transaction.v1 import transaction_pb2 as pb

from devstack.demo.desk import Booked, Desk, refused
from shared.errors import DomainError


@dataclass(frozen=True, slots=True)
class Spending:
    """A person has enough for either of two usages, and not for both."""

    top_up: Booked
    quotes: tuple[pb.QuoteUsageResponse, pb.QuoteUsageResponse]
    usage: Booked
    refusal: DomainError

    def booked(self) -> tuple[Booked, ...]:
        return (self.top_up, self.usage)


@dataclass(frozen=True, slots=True)
class Repeats:
    """What was answered once is answered again, though there is more money by now."""

    top_up: Booked
    usage: Booked
    refusal: DomainError
    other_body: DomainError

    def booked(self) -> tuple[Booked, ...]:
        return (self.top_up,)


@dataclass(frozen=True, slots=True)
class BookedUsage:
    """A usage is set aside, taken in part, and let go of."""

    booking: Booked
    commit: Booked
    cancellation: Booked

    def booked(self) -> tuple[Booked, ...]:
        return (self.booking, self.commit, self.cancellation)


@dataclass(frozen=True, slots=True)
class Sharing:
    """The person gives some to a friend, who spends of it."""

    transfer: Booked
    usage: Booked

    def booked(self) -> tuple[Booked, ...]:
        return (self.transfer, self.usage)


@dataclass(frozen=True, slots=True)
class Mistake:
    """The person sends the friend too much, and takes it back in two parts."""

    transfer: Booked
    first_void: Booked
    second_void: Booked

    def booked(self) -> tuple[Booked, ...]:
        return (self.transfer, self.first_void, self.second_void)


async def spend(desk: Desk, person: str) -> Spending:
    return Spending(
        top_up=await desk.top_up("top-up-1", person, "IDR", 5_000_000),
        quotes=(
            await desk.quote(person, "ESIGN_DOCUMENT", 3),
            await desk.quote(person, "EMETERAI_STAMP", 4),
        ),
        usage=await desk.use("sign-1", person, "ESIGN_DOCUMENT", 3),
        refusal=await refused(desk.use("stamp-1", person, "EMETERAI_STAMP", 4)),
    )


async def repeat(desk: Desk, person: str) -> Repeats:
    return Repeats(
        top_up=await desk.top_up("top-up-2", person, "IDR", 2_000_000),
        usage=await desk.use("sign-1", person, "ESIGN_DOCUMENT", 3),
        refusal=await refused(desk.use("stamp-1", person, "EMETERAI_STAMP", 4)),
        other_body=await refused(desk.use("sign-1", person, "ESIGN_DOCUMENT", 30)),
    )


async def book_and_commit(desk: Desk, person: str) -> BookedUsage:
    booking = await desk.book("book-1", person, "EKYC_CHECK", 10)
    booking_id = booking.answer.booking_id
    return BookedUsage(
        booking=booking,
        commit=await desk.commit("commit-1", booking_id, 6),
        cancellation=await desk.cancel("cancel-1", booking_id),
    )


async def share(desk: Desk, person: str, friend: str) -> Sharing:
    return Sharing(
        transfer=await desk.transfer("gift-1", person, friend, "IDR", 1_250_000),
        usage=await desk.use("call-1", friend, "API_CALL", 40),
    )


async def take_back(desk: Desk, person: str, friend: str) -> Mistake:
    transfer = await desk.transfer("slip-1", person, friend, "IDR", 900_000)
    transaction_id = transfer.answer.transaction_id
    return Mistake(
        transfer=transfer,
        first_void=await desk.void("mend-1", transaction_id, "IDR", 400_000),
        second_void=await desk.void("mend-2", transaction_id, "IDR", 500_000),
    )
