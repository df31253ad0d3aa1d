"""What a plan moves, leg by leg: what it says, who pays, what is held, what is taken back.

Nothing here changes the books, and nothing is refused but what no account can pay.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wallet_service import ids
from wallet_service.decide.lots import spendable_minor
from wallet_service.decide.model import Books, Facts, Hold, Original
from wallet_service.decide.plan import (
    WALLET,
    AccountKey,
    CaptureHold,
    Leg,
    OpenHold,
    Plan,
    ReleaseHold,
    Spend,
)
from wallet_service.decide.voids import VOIDABLE_KINDS, void_legs
from wallet_service.errors import INSUFFICIENT_FUNDS, Refusal


class Payment(NamedTuple):
    """So much from one account."""

    key: AccountKey
    minor: int


def accounts_of(plan: Plan, facts: Facts) -> list[AccountKey]:
    """Answer every account that a plan may touch: those it names, and those that may pay."""
    keys = named_accounts(plan, facts)
    if plan.spend and plan.booking_id is None and plan.wallet_id in facts.nodes:
        payers = facts.nodes[plan.wallet_id].payers
        keys += [AccountKey(each, WALLET, plan.spend.asset_code) for each in payers]
    return keys


def named_accounts(plan: Plan, facts: Facts) -> list[AccountKey]:
    """Answer the accounts that a plan moves or asks of, whoever pays."""
    keys = [leg.key for leg in plan.legs]
    if isinstance(plan.hold, OpenHold):
        keys += [] if plan.spend else [plan.hold.key]
    elif plan.hold:
        keys += holders_of(plan.hold.booking_id, plan, facts)
    if plan.void_of and (original := voidable_of(plan, facts)):
        keys += [each.key for each in original.entries]
    if plan.extend_lot:
        keys.append(plan.extend_lot.key)
    return keys


def holders_of(booking_id: int, plan: Plan, facts: Facts) -> tuple[AccountKey, ...]:
    """Answer whose accounts hold a booking's money; another wallet's booking is none."""
    holders = facts.holders.get(booking_id)
    return holders.accounts if holders and holders.wallet_id == plan.wallet_id else ()


def original_of(plan: Plan, facts: Facts) -> Original | None:
    """Answer what a plan takes back; another wallet's transaction is none."""
    original = facts.originals.get(plan.void_of.transaction_id) if plan.void_of else None
    return original if original and original.wallet_id == plan.wallet_id else None


def voidable_of(plan: Plan, facts: Facts) -> Original | None:
    """Answer what a plan takes back, if it is of a kind that can be taken back."""
    original = original_of(plan, facts)
    return original if original and original.kind in VOIDABLE_KINDS else None


def _own_account(plan: Plan, spend: Spend) -> AccountKey:
    return AccountKey(plan.wallet_id, WALLET, spend.asset_code)


def legs_of(plan: Plan, books: Books) -> Sequence[Leg] | Refusal:
    """Fold all that a plan moves into one leg for each account.

    Refuses with `INSUFFICIENT_FUNDS` where none of those who may pay can.
    """
    if plan.void_of:
        return void_legs(plan.void_of, books)
    if plan.spend is None and plan.hold is None and plan.extend_lot is None:
        return plan.legs
    more = _further_legs(plan, books)
    return more if isinstance(more, Refusal) else _folded([*more, *plan.legs])


def _further_legs(plan: Plan, books: Books) -> list[Leg] | Refusal:
    hold = plan.hold
    if plan.extend_lot:
        return [Leg(plan.extend_lot.key, 0, 0)]
    if isinstance(hold, ReleaseHold):
        parts = books.holds[hold.booking_id].parts
        return [Leg(e.key, 0, -e.remaining_minor) for e in parts if e.remaining_minor]
    if isinstance(hold, CaptureHold) and plan.spend:
        taken = _taken(books.holds[hold.booking_id], plan.spend.amount_minor)
        return [Leg(key, minor, -minor) for key, minor in taken]
    if plan.spend is None:
        assert isinstance(hold, OpenHold)  # noqa: S101 (a plan that captures spends)
        return [Leg(hold.key, 0, hold.amount_minor)]
    paid = _payments(plan, plan.spend, books)
    if isinstance(paid, Refusal):
        return paid
    return [Leg(key, 0, minor) if hold else Leg(key, minor) for key, minor in paid]


def _folded(legs: Sequence[Leg]) -> Sequence[Leg]:
    if len({leg.key for leg in legs}) == len(legs):
        return legs
    folded: dict[AccountKey, Leg] = {}
    for key, amount_minor, held_change_minor in legs:
        if before := folded.get(key):
            amount_minor += before.amount_minor  # noqa: PLW2901 (added up, not replaced)
            held_change_minor += before.held_change_minor  # noqa: PLW2901
        folded[key] = Leg(key, amount_minor, held_change_minor)
    return list(folded.values())


def _payments(plan: Plan, spend: Spend, books: Books) -> list[Payment] | Refusal:
    node = books.facts.nodes[plan.wallet_id]
    own = _own_account(plan, spend)
    if node.payers == (plan.wallet_id,):
        return [Payment(own, spend.amount_minor)]
    funds = [Payment(key, _funds_minor(key, books)) for key in _payers(plan, spend, books)]
    if node.splits:
        paid = taken_first(funds, spend.amount_minor)
        if sum(each.minor for each in paid) == spend.amount_minor:
            return paid
        return insufficient_funds(own, sum(each.minor for each in funds), spend.amount_minor)
    for key, available_minor in funds:
        if available_minor >= spend.amount_minor:
            return [Payment(key, spend.amount_minor)]
    most_minor = max((each.minor for each in funds), default=0)
    return insufficient_funds(own, most_minor, spend.amount_minor)


def _payers(plan: Plan, spend: Spend, books: Books) -> list[AccountKey]:
    """Answer the accounts that may pay, in order: frozen and closed wallets pay for nobody."""
    payers = books.facts.nodes[plan.wallet_id].payers
    keys = [AccountKey(each, WALLET, spend.asset_code) for each in payers]
    return [key for key in keys if books.accounts[key].wallet_state == "ACTIVE"]


def _funds_minor(key: AccountKey, books: Books) -> int:
    return max(spendable_minor(books.accounts[key], books.now), 0)


def _taken(hold: Hold, minor: int) -> list[Payment]:
    return taken_first((Payment(e.key, e.remaining_minor) for e in hold.parts), minor)


def taken_first(funds: Iterable[Payment], minor: int) -> list[Payment]:
    """Take `minor` from the first of several that have something, as far as it goes."""
    taken = []
    for key, available_minor in funds:
        part_minor = min(available_minor, minor)
        if part_minor > 0:
            taken.append(Payment(key, part_minor))
            minor -= part_minor
    return taken


def insufficient_funds(key: AccountKey, available_minor: int, needed_minor: int) -> Refusal:
    """Refuse what a wallet cannot pay."""
    wallet = ids.wallet_text(key.wallet_id)
    return Refusal(
        INSUFFICIENT_FUNDS,
        f"{wallet} has {available_minor} {key.asset_code} available, "
        f"and {needed_minor} is needed (minor units)",
        {
            "wallet_id": wallet,
            "asset_code": key.asset_code,
            "available_minor": str(available_minor),
            "needed_minor": str(needed_minor),
        },
    )
