"""The story: what three customers do, act by act, and what they are answered."""

from collections.abc import Mapping
from dataclasses import dataclass

from privy.transaction.v1 import transaction_pb2 as pb
from privy.wallet.v1 import wallet_pb2

from devstack.demo.desk import Booked, Desk, refused
from shared.errors import DomainError


@dataclass(frozen=True, slots=True)
class Cast:
    person: wallet_pb2.Wallet
    friend: wallet_pb2.Wallet
    company: wallet_pb2.Wallet

    def names(self) -> Mapping[str, str]:
        """Say what each wallet id is called in this story."""
        return {
            self.person.wallet_id: "person",
            self.friend.wallet_id: "friend",
            self.company.wallet_id: "company",
        }


@dataclass(frozen=True, slots=True)
class Spending:
    """A person has enough for either of two usages, and not for both."""

    top_up: Booked
    quotes: tuple[pb.QuoteUsageResponse, pb.QuoteUsageResponse]
    usage: Booked
    refusal: DomainError


@dataclass(frozen=True, slots=True)
class Repeats:
    """What was answered once is answered again, though there is more money by now."""

    top_up: Booked
    usage: Booked
    refusal: DomainError
    other_body: DomainError


@dataclass(frozen=True, slots=True)
class BookedUsage:
    """A usage is set aside, taken in part, and let go of."""

    booking: Booked
    commit: Booked
    cancellation: Booked


@dataclass(frozen=True, slots=True)
class Sharing:
    """The person gives some to a friend, who spends of it."""

    transfer: Booked
    usage: Booked


@dataclass(frozen=True, slots=True)
class Mistake:
    """The person sends the friend too much, and takes it back in two parts."""

    transfer: Booked
    first_void: Booked
    second_void: Booked


@dataclass(frozen=True, slots=True)
class Quota:
    """A company has bought units, and spends those."""

    top_up: Booked
    usage: Booked


@dataclass(frozen=True, slots=True)
class Story:
    cast: Cast
    spending: Spending
    repeats: Repeats
    booked_usage: BookedUsage
    sharing: Sharing
    mistake: Mistake
    quota: Quota
    balances: Mapping[str, tuple[wallet_pb2.Balance, ...]]
    """What each wallet, by its id, holds at the end."""

    def booked(self) -> tuple[Booked, ...]:
        """Give every accepted action, in order."""
        return (
            self.spending.top_up,
            self.spending.usage,
            self.repeats.top_up,
            self.booked_usage.booking,
            self.booked_usage.commit,
            self.booked_usage.cancellation,
            self.sharing.transfer,
            self.sharing.usage,
            self.mistake.transfer,
            self.mistake.first_void,
            self.mistake.second_void,
            self.quota.top_up,
            self.quota.usage,
        )

    def movements(self) -> tuple[Booked, ...]:
        """Give those that moved money, and not only set it aside or free."""
        return tuple(each for each in self.booked() if each.moves)


async def play(desk: Desk) -> Story:
    """Have the whole story happen; raises `grpc.aio.AioRpcError` where it cannot go on."""
    cast = await open_wallets(desk)
    person, friend = cast.person.wallet_id, cast.friend.wallet_id
    company = cast.company.wallet_id
    return Story(
        cast=cast,
        spending=await spend(desk, person),
        repeats=await repeat(desk, person),
        booked_usage=await book_and_commit(desk, person),
        sharing=await share(desk, person, friend),
        mistake=await take_back(desk, person, friend),
        quota=await spend_quota(desk, company),
        balances={each: tuple(await desk.balances(each)) for each in (person, friend, company)},
    )


async def open_wallets(desk: Desk) -> Cast:
    personal, enterprise = wallet_pb2.WALLET_TYPE_PERSONAL, wallet_pb2.WALLET_TYPE_ENTERPRISE
    return Cast(
        person=await desk.open_wallet("open-person", personal, "A person"),
        friend=await desk.open_wallet("open-friend", personal, "A friend"),
        company=await desk.open_wallet("open-company", enterprise, "A company"),
    )


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


async def spend_quota(desk: Desk, company: str) -> Quota:
    return Quota(
        top_up=await desk.top_up("package-1", company, "ESIGN", 100),
        usage=await desk.use("sign-2", company, "ESIGN_DOCUMENT_QUOTA", 8),
    )
