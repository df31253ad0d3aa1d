"""What each act shows: a title, what it teaches, and tables. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from devstack.demo import tables
from devstack.demo.acts import Repeats, Spending, Story
from devstack.demo.desk import Booked
from devstack.demo.finance import Books, profits_of
from devstack.demo.tables import Table

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Scene:
    title: str
    lesson: str
    tables: tuple[Table, ...]


def scenes_of(story: Story) -> Iterator[Scene]:
    """Give the acts, in order."""
    names = story.cast.names()
    yield _opening(story)
    yield from _spending(story.spending, names)
    yield _repeats(story.spending.usage, story.repeats)
    yield from _further_actions(story, names)
    yield Scene(
        "What everybody holds now",
        "Posted is what the entries add up to, available is posted less held.",
        (tables.balances(story.balances, names),),
    )


def scenes_of_finance(books: Books, names: Names) -> Iterator[Scene]:
    """Give what finance got of it."""
    yield Scene(
        "What finance got, in Firestore",
        "Each movement came through Pub/Sub and became one balanced document. Bookings and "
        "cancellations move nothing; refusals and repeats leave no trace.",
        (tables.documents(books.documents, names),),
    )
    yield Scene(
        "The books of the ledger, beside the sums of the documents",
        "Debits are positive, credits negative: each asset sums to zero, and both agree.",
        (tables.trial_balance(books),),
    )
    yield Scene(
        "Profit and loss by product, from the documents",
        "A product paid in units earns units, while its cost is money.",
        (tables.profit_and_loss(profits_of(books.documents)),),
    )


def _opening(story: Story) -> Scene:
    cast, names = story.cast, story.cast.names()
    return Scene(
        "Three wallets are opened",
        "A wallet is a customer's holding, empty at first. It gets an account for each asset.",
        (tables.wallets((cast.person, cast.friend, cast.company), names),),
    )


def _spending(spending: Spending, names: Names) -> Iterator[Scene]:
    yield _movement(
        "The person tops up",
        "Two legs that sum to zero: what was received is now owed to the customer.",
        (spending.top_up,),
        names,
    )
    yield Scene(
        "The person asks for two prices",
        "A quote sets nothing aside: there is enough for each of the two, not for both.",
        (tables.quotes(spending.quotes),),
    )
    yield _movement(
        "The person signs three documents",
        "What the customer is owed no longer is earned; what the vendor gets for it is a cost.",
        (spending.usage,),
        names,
    )
    yield Scene(
        "The person wants four stamps, and is refused",
        "The ledger decides under its own locks. A refusal gives its reason and its figures, and "
        "moves nothing.",
        (tables.refusals({"stamp-1": spending.refusal}),),
    )


def _repeats(first: Booked, repeats: Repeats) -> Scene:
    return Scene(
        "The person tops up again, and repeats both requests",
        "One request id, one outcome: the usage is not charged again and answers the balance of "
        "then; the refusal stays, though there is enough by now. Asking for thirty documents "
        "under the id that asked for three is refused too.",
        (
            tables.answers((first, repeats.top_up, repeats.usage)),
            tables.refusals({"stamp-1": repeats.refusal, "sign-1": repeats.other_body}),
        ),
    )


def _further_actions(story: Story, names: Names) -> Iterator[Scene]:
    booked, sharing, quota = story.booked_usage, story.sharing, story.quota
    mistake = story.mistake
    yield _movement(
        "Ten identity checks are booked, six taken, the rest cancelled",
        "A booking sets money aside at a frozen price; only what is taken is earned.",
        (booked.booking, booked.commit, booked.cancellation),
        names,
    )
    yield _movement(
        "The person gives to a friend, who makes forty API calls",
        "A transfer earns nothing: the same is owed to somebody else.",
        (sharing.transfer, sharing.usage),
        names,
    )
    yield _movement(
        "The person sends too much by mistake, and takes it back in two parts",
        "Nothing is ever erased: a void is a transaction of its own, with the legs reversed.",
        (mistake.transfer, mistake.first_void, mistake.second_void),
        names,
    )
    yield _movement(
        "A company gets a hundred signatures, and uses eight",
        "A quota is a balance in units; here the price is a unit and the cost is money.",
        (quota.top_up, quota.usage),
        names,
    )


def _movement(title: str, lesson: str, booked: tuple[Booked, ...], names: Names) -> Scene:
    shown = (tables.legs(booked, names), tables.balances_after(booked, names))
    return Scene(title, lesson, shown)
