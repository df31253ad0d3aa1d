"""The reseller's acts."""

from collections.abc import Iterator

from devstack.demo.acts.reseller import Resale
from devstack.demo.cast import Cast
from devstack.demo.money import money
from devstack.demo.prices import RETAIL_MINOR, WHOLESALE_MINOR
from devstack.demo.scenes.scene import Names, Scene, movement
from devstack.demo.tables import actions, wallets


def resale(acts: Resale, cast: Cast, names: Names) -> Iterator[Scene]:
    yield Scene(
        "A reseller has a customer, and a price book with prices for both takes effect",
        f"A sealed document is {money('IDR', WHOLESALE_MINOR)} to this reseller and "
        f"{money('IDR', RETAIL_MINOR)} to its customers, and tax of 11 % comes on top. A price "
        "book never changes: this is the next version.",
        (
            wallets.tree((cast.reseller, cast.customer), names),
            actions.quotes((acts.quote,)),
        ),
    )
    yield movement(
        "The customer tops up, seals four documents, and has one taken back",
        "Each sale is one transaction: the customer pays retail and tax, the house earns "
        "wholesale, the reseller the margin between. A void takes back its part of every leg.",
        acts.booked(),
        names,
    )
