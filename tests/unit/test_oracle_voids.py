"""What a void takes back of each leg, by the oracle's words: parts are rounded by the rules."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests import asks, plans
from tests.asks import Ask, Legs
from wallet_service.decide.model import Facts, Original, OriginalEntry
from wallet_service.decide.plan import HOUSE, AccountKey, VoidOf
from wallet_service.decide.voids import void_legs

minors = st.integers(1, 500)
originals = st.one_of(
    st.builds(asks.top_up, st.just("it"), st.just("1"), st.just("IDR"), minors),
    st.builds(asks.transfer, st.just("it"), st.just("1"), st.just("2"), st.just("IDR"), minors),
    st.builds(
        asks.usage, st.just("it"), st.just("1"), st.sampled_from(["IDR", "ESIGN"]), minors, minors
    ),
)


def original_of(ask: Ask) -> Original:
    entries = [
        OriginalEntry(AccountKey(int(owner or HOUSE), of_type, asset), minor)
        for (owner, of_type, asset), minor in ask.legs
    ]
    return Original(1, ask.kind, int(ask.wallet), tuple(entries))


def taken_back(original: Original, before: int, minor: int) -> Legs:
    books = plans.books()
    books.facts, books.voided = Facts(originals={1: original}), {1: before}
    return tuple(
        ((str(owner) if owner else "", of_type, asset), amount_minor)
        for (owner, of_type, asset), amount_minor, _ in void_legs(VoidOf(1, minor), books)
    )


@given(originals, st.lists(st.integers(1, 200), max_size=6))
def test_parts_of_a_void_are_rounded_as_the_rules_say(ask: Ask, parts: list[int]) -> None:
    """Each part has the legs that the rules give it, and all together they undo the whole."""
    before, total = 0, Counter(dict(ask.legs))
    for part in [*parts, ask.minor]:
        minor = min(part, ask.minor - before)
        if minor:
            back = taken_back(original_of(ask), before, minor)
            assert sorted(back) == sorted(asks.taken_back(ask, before, minor))
            total.update(dict(back))
        before += minor
    assert not any(total.values())


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=4),
    st.lists(st.integers(1, 200), max_size=6),
    st.integers(0, 50),
)
def test_those_who_paid_together_get_exactly_what_is_taken_back(
    paid: list[int], parts: list[int], margin: int
) -> None:
    """However many paid: each part gives them its amount, and all parts give each what it paid."""
    whole = sum(paid)
    margin = min(margin, whole - 1)
    payers = [OriginalEntry(plans.wallet(i), minor) for i, minor in enumerate(paid, 1)]
    earned = OriginalEntry(plans.wallet(9), -margin)
    entries = (*payers, OriginalEntry(plans.REVENUE, margin - whole), earned)
    moved = tuple(each for each in entries if each.amount_minor)
    original = Original(1, "USAGE", 1, moved, spent_minor=whole)
    before, total = 0, Counter({entry.key: entry.amount_minor for entry in moved})
    for part in [*parts, whole]:
        minor = min(part, whole - before)
        books = plans.books()
        books.facts, books.voided = Facts(originals={1: original}), {1: before}
        back = {e.key: e.amount_minor for e in void_legs(VoidOf(1, minor), books)}
        if minor:
            assert sum(back.get(each.key, 0) for each in payers) == -minor
            assert sum(back.values()) == 0
            total.update(back)
        before += minor
    assert not any(total.values())
