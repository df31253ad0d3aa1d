"""The acts of the story, in the order in which they are told."""

from collections.abc import Iterator

from devstack.demo.acts.story import Story
from devstack.demo.scenes import enterprise, personal, reseller
from devstack.demo.scenes.scene import Scene
from devstack.demo.tables import wallets


def scenes_of(story: Story) -> Iterator[Scene]:
    names = story.cast.names()
    yield personal.opening(story.cast)
    yield from personal.spending(story.spending, names)
    yield personal.repeats(story.spending.usage, story.repeats)
    yield personal.booking(story.booked_usage, names)
    yield personal.sharing(story.sharing, names)
    yield personal.mistake(story.mistake, names)
    yield enterprise.bonus(story.bonus, names)
    yield enterprise.quota(story.quota, names)
    yield enterprise.tree(story.cast)
    yield from enterprise.branches(story.branches, names)
    yield from reseller.resale(story.resale, story.cast, names)
    yield Scene(
        "What everybody holds now",
        "Posted is what the entries add up to, available is posted less held. (The person has "
        "been topped up by a back office meanwhile.)",
        (wallets.balances(story.balances, names),),
    )
