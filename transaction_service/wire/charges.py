"""Charges and amounts, both ways."""

from functools import lru_cache

from privy.wallet.v1 import amount_pb2, ledger_pb2

from transaction_service.domain import Amount, Charge, Margin


def charge_out(charge: Charge) -> ledger_pb2.Charge:
    """Make a charge's message. Whoever needs many of one copies it."""
    return ledger_pb2.Charge(
        product_code=charge.product_code,
        quantity=charge.quantity,
        unit_price=_optional_out(charge.unit_price),
        price=amount_out(charge.price),
        unit_cost=_optional_out(charge.unit_cost),
        cost=_optional_out(charge.cost),
        vendor_code=charge.vendor_code,
        tax=_optional_out(charge.tax),
        tax_code=charge.tax_code,
        revenue=amount_out(charge.revenue),
        margins=[
            ledger_pb2.Margin(wallet_id=each.wallet_id, minor_units=each.minor_units)
            for each in charge.margins
        ],
    )


def _optional_out(amount: Amount | None) -> amount_pb2.Amount | None:
    return None if amount is None else amount_out(amount)


def amount_out(amount: Amount) -> amount_pb2.Amount:
    return amount_pb2.Amount(asset_code=amount.asset_code, minor_units=amount.minor_units)


def charge_of(charge: ledger_pb2.Charge) -> Charge:
    """Read a charge. Many are alike, and those are made once."""
    return _charge(charge.SerializeToString())


@lru_cache(maxsize=1024)
def _charge(body: bytes) -> Charge:
    charge = ledger_pb2.Charge.FromString(body)
    # What was charged before there was tax and margin was all revenue.
    return Charge(
        product_code=charge.product_code,
        quantity=charge.quantity,
        unit_price=_amount_or_none(charge.unit_price),
        price=amount_of(charge.price),
        unit_cost=_amount_or_none(charge.unit_cost),
        cost=_amount_or_none(charge.cost),
        vendor_code=charge.vendor_code,
        tax=_amount_or_none(charge.tax),
        tax_code=charge.tax_code,
        revenue=_amount_or_none(charge.revenue) or amount_of(charge.price),
        margins=tuple(Margin(each.wallet_id, each.minor_units) for each in charge.margins),
    )


def amount_of(amount: amount_pb2.Amount) -> Amount:
    return Amount(asset_code=amount.asset_code, minor_units=amount.minor_units)


def _amount_or_none(amount: amount_pb2.Amount) -> Amount | None:
    """Read what may be unset; books of earlier versions hold it as an amount of no asset."""
    return amount_of(amount) if amount.asset_code else None
