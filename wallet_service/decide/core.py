"""Decides plans, in order, against the books.

Each accepted plan changes the books in hand, so that the next one sees its effect; nothing else
is touched.

The rules that a plan may break are `errors.POSTING_RULES`, tried in that order.
"""

from collections.abc import Sequence

from wallet_service.decide.accepted import post
from wallet_service.decide.legs import (
    accounts_of,
    insufficient_funds,
    legs_of,
)
from wallet_service.decide.lots import spendable_minor
from wallet_service.decide.model import (
    MAX_BALANCE_MINOR,
    Account,
    Books,
    Moved,
    Outcome,
    Posted,
    Verdict,
    Writes,
)
from wallet_service.decide.plan import WALLET, AccountKey, Plan
from wallet_service.decide.rules import asset_refusal, refusal_of
from wallet_service.decide.spending import limit_refusal
from wallet_service.errors import (
    BALANCE_LIMIT_EXCEEDED,
    NOT_KEPT,
    Refusal,
    group_refused,
    request_id_reused,
    request_unknown,
)


def decide(groups: Sequence[Sequence[Plan]], books: Books) -> tuple[list[list[Verdict]], Writes]:
    """Give each plan its verdict, group by group in order, and gather what is to be written.

    The plans of a group are accepted together or not at all; most groups have one.
    """
    writes = Writes()
    verdicts = []
    transaction_id = books.first_transaction_id
    for group in groups:
        decide_group = _decide_each if len(group) == 1 else _decide_together
        verdicts.append(decide_group(group, books, writes, transaction_id))
        transaction_id += len(group)
    return verdicts, writes


def _decide_each(
    group: Sequence[Plan], books: Books, writes: Writes, transaction_id: int
) -> list[Verdict]:
    return [_verdict(plan, books, writes, transaction_id + i) for i, plan in enumerate(group)]


def _decide_together(
    group: Sequence[Plan], books: Books, writes: Writes, transaction_id: int
) -> list[Verdict]:
    """Decide on a copy of the books, and take it over only if nothing was refused."""
    trial = books.copy({key for plan in group for key in accounts_of(plan, books.facts)})
    trial_writes = Writes()
    verdicts = _decide_each(group, trial, trial_writes, transaction_id)
    for plan, verdict in zip(group, verdicts, strict=True):
        if isinstance(verdict, Refusal):
            return _refuse_group(group, plan, verdict, books, writes)
    books.take_over(trial)
    writes.add(trial_writes)
    return verdicts


def _refuse_group(
    group: Sequence[Plan], culprit: Plan, refusal: Refusal, books: Books, writes: Writes
) -> list[Verdict]:
    others = group_refused(culprit.request_id, refusal)
    if refusal.reason not in NOT_KEPT:
        for plan in group:
            _keep(plan, refusal if plan is culprit else others, books, writes)
    return [refusal if plan is culprit else _kept(plan, books) or others for plan in group]


def _verdict(plan: Plan, books: Books, writes: Writes, transaction_id: int) -> Verdict:
    if kept := _kept(plan, books):
        return kept
    if plan.replay_only:
        return _no_replay(plan, books)
    keys = accounts_of(plan, books.facts)
    missing = [key for key in keys if key not in books.accounts]
    if missing and (unknown := asset_refusal(missing, books)):
        return unknown
    if plan.request_digest in books.outcomes:
        return request_id_reused(plan.request_id)
    verdict = refusal_of(plan, books, keys, missing) or _verdict_on_legs(
        plan, books, writes, transaction_id
    )
    if not (isinstance(verdict, Refusal) and verdict.reason in NOT_KEPT):
        _keep(plan, verdict, books, writes)
    return verdict


def _verdict_on_legs(
    plan: Plan, books: Books, writes: Writes, transaction_id: int
) -> Posted | Refusal:
    """Decide a plan that breaks no rule but, perhaps, those on what the accounts come to."""
    if plan.spend and (passed := limit_refusal(plan, books)):
        return passed
    legs = legs_of(plan, books)
    if isinstance(legs, Refusal):
        return legs
    moved = [(leg, books.accounts[leg.key]) for leg in legs]
    return _balance_refusal(plan, moved, books) or post(plan, moved, books, writes, transaction_id)


def _kept(plan: Plan, books: Books) -> Verdict | None:
    """Answer what the same plan came to before."""
    outcome = books.outcomes.get(plan.request_digest)
    if outcome is None or outcome.body_digest != plan.body_digest:
        return None
    return outcome.verdict


def _no_replay(plan: Plan, books: Books) -> Refusal:
    if plan.request_digest in books.outcomes:
        return request_id_reused(plan.request_id)
    return request_unknown(plan.request_id)


def _keep(plan: Plan, verdict: Verdict, books: Books, writes: Writes) -> None:
    """Make a verdict its request id's outcome, unless it has one or only asked for a trial."""
    if not plan.validate_only and plan.request_digest not in books.outcomes:
        outcome = Outcome(plan.body_digest, verdict)
        books.outcomes[plan.request_digest] = writes.outcomes[plan.request_digest] = outcome


def _balance_refusal(plan: Plan, moved: Sequence[Moved], books: Books) -> Refusal | None:
    limit_refusal = None
    for (key, amount_minor, held_change_minor), account in moved:
        spent_minor = amount_minor + held_change_minor
        if key.account_type == WALLET and spent_minor > 0:
            available_minor = _available_minor(plan, account, books)
            if spent_minor > available_minor:
                return insufficient_funds(key, available_minor, spent_minor)
        if abs(account.balance_minor + amount_minor) > MAX_BALANCE_MINOR:
            limit_refusal = limit_refusal or _balance_limit_exceeded(key)
    return limit_refusal


def _available_minor(plan: Plan, account: Account, books: Books) -> int:
    """Answer what a plan may take: of expired lots nothing, but for the one that it breaks."""
    if not account.lots or plan.break_lot:
        return account.available_minor
    return spendable_minor(account, books.now)


def _balance_limit_exceeded(key: AccountKey) -> Refusal:
    return Refusal(
        BALANCE_LIMIT_EXCEEDED,
        f"a balance in {key.asset_code} would pass {MAX_BALANCE_MINOR} minor units",
        {"asset_code": key.asset_code, "limit_minor": str(MAX_BALANCE_MINOR)},
    )
