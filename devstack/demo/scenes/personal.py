"""The persons' acts."""

from collections.abc import Iterator

from devstack.demo.acts.personal import BookedUsage, Mistake, Repeats, Sharing, Spending
from devstack.demo.cast import Cast
from devstack.demo.desk import Booked
from devstack.demo.scenes.scene import Names, Scene, movement
from devstack.demo.tables import actions, wallets


def opening(cast: Cast) -> Scene:
    return Scene(
        "Three wallets are opened",
        "A wallet is a customer's holding, empty at first. It gets an account for each asset.",
        (wallets.wallets((cast.person, cast.friend, cast.company), cast.names()),),
    )


def spending(acts: Spending, names: Names) -> Iterator[Scene]:
    yield movement(
        "The person tops up",
        "Two legs that sum to zero: what was received is now owed to the customer.",
        (acts.top_up,),
        names,
    )
    yield Scene(
        "The person asks for two prices",
        "A quote sets nothing aside: there is enough for each of the two, not for both.",
        (actions.quotes(acts.quotes),),
    )
    yield movement(
        "The person signs three documents",
        "What the customer is owed no longer is earned; what the vendor gets for it is a cost.",
        (acts.usage,),
        names,
    )
    yield Scene(
        "The person wants four stamps, and is refused",
        "The ledger decides under its own locks. A refusal gives its reason and its figures, and "
        "moves nothing.",
        (actions.refusals({"stamp-1": acts.refusal}),),
    )


def repeats(first: Booked, acts: Repeats) -> Scene:
    return Scene(
        "The person tops up again, and repeats both requests",
        "One request id, one outcome: the usage is not charged again and answers the balance of "
        "then; the refusal stays, though there is enough by now. Asking for thirty documents "
        "under the id that asked for three is refused too.",
        (
            actions.answers((first, acts.top_up, acts.usage)),
            actions.refusals({"stamp-1": acts.refusal, "sign-1": acts.other_body}),
        ),
    )


def booking(acts: BookedUsage, names: Names) -> Scene:
    return movement(
        "Ten identity checks are booked, six taken, the rest cancelled",
        "A booking sets money aside at a frozen price; only what is taken is earned.",
        acts.booked(),
        names,
    )


def sharing(acts: Sharing, names: Names) -> Scene:
    return movement(
        "The person gives to a friend, who makes forty API calls",
        "A transfer earns nothing: the same is owed to somebody else.",
        acts.booked(),
        names,
    )


def mistake(acts: Mistake, names: Names) -> Scene:
    return movement(
        "The person sends too much by mistake, and takes it back in two parts",
        "Nothing is ever erased: a void is a transaction of its own, with the legs reversed.",
        acts.booked(),
        names,
    )
