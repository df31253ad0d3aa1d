"""What a void takes back of each leg. Pure; the rule is in docs/ledger.md, "Parts of a void"."""

from wallet_service.decide.model import Books, Original
from wallet_service.decide.plan import AccountKey, Leg, VoidOf

VOIDABLE_KINDS = frozenset({"TOP_UP", "USAGE", "COMMIT", "TRANSFER", "ASSIGNMENT", "UNASSIGNMENT"})


def void_minor(void: VoidOf, books: Books) -> int:
    """Answer how much a void takes back: what it says, or all that is left.

    Where nothing is left it is the whole, so that it is refused as too much.
    """
    original = books.facts.originals[void.transaction_id]
    left_minor = original.amount_minor - books.voided.get(original.transaction_id, 0)
    return void.amount_minor or left_minor or original.amount_minor


def void_legs(void: VoidOf, books: Books) -> list[Leg]:
    """Move back what has not gone back yet: so parts make the whole, to the last minor unit."""
    original = books.facts.originals[void.transaction_id]
    before_minor = books.voided.get(original.transaction_id, 0)
    before = voided_parts(original, before_minor)
    after = voided_parts(original, before_minor + void_minor(void, books))
    back = ((each.key, before[each.key] - after[each.key]) for each in original.entries)
    return [Leg(key, amount_minor) for key, amount_minor in back if amount_minor]


def voided_parts(original: Original, minor: int) -> dict[AccountKey, int]:
    """Answer what has gone back on each account once `minor` of the whole has; signed as it was.

    The entries that make up the amount give exactly that, the others their proportion, rounded
    down; the last of these in each asset takes what rounding leaves.
    """
    own, total_minor = original.own, original.amount_minor
    parts, before_minor = {}, 0
    for each in own:
        after_minor = before_minor + abs(each.amount_minor)
        part_minor = after_minor * minor // total_minor - before_minor * minor // total_minor
        parts[each.key] = part_minor if each.amount_minor > 0 else -part_minor
        before_minor = after_minor
    others = [each for each in original.entries if each.key not in parts]
    last = {each.key.asset_code: each.key for each in others}
    for each in others:
        part_minor = abs(each.amount_minor) * minor // total_minor
        parts[each.key] = part_minor if each.amount_minor > 0 else -part_minor
    for asset_code, key in last.items():
        parts[key] -= sum(part for of, part in parts.items() if of.asset_code == asset_code)
    return parts
