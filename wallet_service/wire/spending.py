"""What a plan spends, and whether its legs are balanced with that."""

from collections import Counter
from collections.abc import Sequence

from privy.wallet.v1 import amount_pb2, ledger_pb2

from shared.errors import invalid
from shared.fields import checked_text
from wallet_service.decide.plan import MAX_AMOUNT_MINOR, WALLET, AccountKey, Leg, Spend
from wallet_service.wire.fields import MAX_CODE

Split = tuple[tuple[Leg, ...], Spend | None]


def split_of(legs: Sequence[Leg], message: ledger_pb2.Plan, wallet_id: int) -> Split:
    """Answer the legs but for those of who pays, and what is spent.

    A commit that names its wallet's own leg instead spends that.
    """
    spend = _spend_of(message)
    if spend is None and message.HasField("capture_hold"):
        own = AccountKey(wallet_id, WALLET, message.capture_hold.amount.asset_code)
        spend = next((Spend(own[2], each[1], "") for each in legs if each.key == own), None)
        legs = [each for each in legs if each.key != own]
    if spend and any(each.key[1] == WALLET and each.amount_minor > 0 for each in legs):
        raise invalid("legs", "must debit no wallet: who pays is found by the ledger")
    if spend and message.HasField("open_hold"):
        _check_set_aside(legs, spend, message.open_hold.amount)
    else:
        _check_balanced(legs, spend)
    return tuple(legs), spend


def _spend_of(message: ledger_pb2.Plan) -> Spend | None:
    if not message.HasField("spend"):
        return None
    amount = message.spend.amount
    check_amount(amount, "spend.amount")
    product_code = checked_text(message.spend.product_code, "spend.product_code", 0, MAX_CODE)
    return Spend(amount.asset_code, amount.minor_units, product_code)


def _check_set_aside(legs: Sequence[Leg], spend: Spend, amount: amount_pb2.Amount) -> None:
    if legs:
        raise invalid("legs", "must be empty where money is set aside")
    if (amount.asset_code, amount.minor_units) != spend[:2]:
        raise invalid("open_hold.amount", "must be what is spent")


def _check_balanced(legs: Sequence[Leg], spend: Spend | None) -> None:
    sums = Counter({spend.asset_code: spend.amount_minor} if spend else {})
    for leg in legs:
        sums[leg.key.asset_code] += leg.amount_minor
    if any(sums.values()):
        raise invalid("legs", f"must sum to zero for each asset, not {dict(sums)}")


def check_amount(amount: amount_pb2.Amount, path: str) -> None:
    if not 0 < amount.minor_units <= MAX_AMOUNT_MINOR:
        raise invalid(f"{path}.minor_units", f"must be 1 to {MAX_AMOUNT_MINOR}")
