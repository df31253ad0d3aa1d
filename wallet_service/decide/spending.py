"""What counts as spending, in which windows, and whether it passes a limit."""

from wallet_service import ids
from wallet_service.decide.model import Books
from wallet_service.decide.plan import Plan, Spend, VoidOf
from wallet_service.decide.policy import Limit, WindowKey, window_of
from wallet_service.decide.voids import void_minor
from wallet_service.errors import SPENDING_LIMIT_EXCEEDED, Refusal


def spending_voided_minor(void: VoidOf, books: Books) -> int | None:
    """Answer, below zero, what a void gives back of spending; None where nothing was spent."""
    if books.facts.originals[void.transaction_id].spent_minor is None:
        return None
    return -void_minor(void, books)


def counted_in(plan: Plan, books: Books) -> tuple[WindowKey, ...]:
    """Answer the windows in which a plan's spending counts, or counted when it was booked."""
    if plan.booking_id is not None:
        return books.holds[plan.booking_id].counted
    if plan.void_of:
        return books.facts.originals[plan.void_of.transaction_id].counted
    if plan.spend is None:
        return ()
    limits = _limits(plan, plan.spend, books)
    return tuple([window_of(each, books.now) for each in limits if _is_long(each)])


def limit_refusal(plan: Plan, books: Books) -> Refusal | None:
    """Say which limit a plan would pass; what was booked counted when it was."""
    if plan.spend is None or plan.booking_id is not None:
        return None
    for limit in _limits(plan, plan.spend, books):
        before_minor = books.windows.get(window_of(limit, books.now), 0) if _is_long(limit) else 0
        if before_minor + plan.spend.amount_minor > limit.limit_minor:
            return _limit_exceeded(limit, before_minor, plan.spend.amount_minor)
    return None


def _limits(plan: Plan, spend: Spend, books: Books) -> list[Limit]:
    return [
        limit
        for limit in books.facts.nodes[plan.wallet_id].limits
        if limit.asset_code == spend.asset_code and limit.product_code in {"", spend.product_code}
    ]


def _is_long(limit: Limit) -> bool:
    return limit.period != "TRANSACTION"


def _limit_exceeded(limit: Limit, before_minor: int, needed_minor: int) -> Refusal:
    wallet = ids.wallet_text(limit.wallet_id)
    each = limit.period.lower()
    product = f" for {limit.product_code}" if limit.product_code else ""
    return Refusal(
        SPENDING_LIMIT_EXCEEDED,
        f"{wallet} may spend {limit.limit_minor} {limit.asset_code} a {each}{product}: "
        f"{before_minor} is spent, and {needed_minor} more is asked (minor units)",
        {
            "wallet_id": wallet,
            "asset_code": limit.asset_code,
            "product_code": limit.product_code,
            "period": limit.period,
            "limit_minor": str(limit.limit_minor),
            "spent_minor": str(before_minor),
            "needed_minor": str(needed_minor),
        },
    )
