"""The company's and the enterprise's acts."""

from collections.abc import Iterator

from devstack.demo.acts.company import Quota, SpentBonus
from devstack.demo.acts.enterprise import Branches
from devstack.demo.cast import NORTH_LIMIT_MINOR, Cast
from devstack.demo.money import money
from devstack.demo.scenes.scene import Names, Scene, movement
from devstack.demo.tables import actions, wallets


def quota(acts: Quota, names: Names) -> Scene:
    return movement(
        "A company gets a hundred signatures, and uses eight",
        "A quota is a balance in units; here the price is a unit and the cost is money.",
        acts.booked(),
        names,
    )


def bonus(acts: SpentBonus, names: Names) -> Scene:
    return movement(
        "The friend is given a bonus that expires, and uses a third of it",
        "A bonus is a lot, drawn first. What is left of it at its expiry the ledger books by "
        "itself: earned without usage, which is breakage.",
        acts.booked(),
        names,
    )


def tree(cast: Cast) -> Scene:
    nodes = (
        cast.enterprise,
        cast.north_merchant,
        cast.south_merchant,
        cast.application,
        cast.web_channel,
        cast.kiosk_channel,
    )
    return Scene(
        "An enterprise is opened, with two merchants, an application and two channels",
        "All of it is one customer. A wallet's policy says who pays for what it uses; all below "
        f"the north merchant together may spend {money('IDR', NORTH_LIMIT_MINOR)} a day.",
        (wallets.tree(nodes, cast.names()),),
    )


def branches(acts: Branches, names: Names) -> Iterator[Scene]:
    yield movement(
        "The enterprise tops up money and quota, and assigns some down",
        "An assignment earns nothing and is no spending: the same customer is owed the same.",
        acts.funding,
        names,
    )
    yield movement(
        "The web channel signs three documents, and cannot pay alone",
        "Own balance first, then those above, nearest first: the application has none, so the "
        "north merchant pays the rest.",
        (acts.shared_usage,),
        names,
    )
    yield movement(
        "The kiosk channel books eight identity checks, takes five, cancels the rest",
        "It is paid as a whole by the nearest above that has enough, and that is the enterprise.",
        acts.booked_usage.booked(),
        names,
    )
    yield Scene(
        "The kiosk channel wants three documents, and its merchant's limit refuses",
        "There is money enough; but what channels spend counts against every limit above them, "
        "whoever paid. Cancelled checks do not count.",
        (actions.limit_refusals({"kiosk-4": acts.refusal}, names),),
    )
    yield movement(
        "The south merchant uses six signatures, and both give back what they do not need",
        "What goes up the tree earns nothing either.",
        (acts.quota_usage, *acts.returns),
        names,
    )
