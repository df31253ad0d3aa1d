"""Charges and amounts, both ways."""

from privy.wallet.v1 import amount_pb2, ledger_pb2

from transaction_service.domain import Amount, Charge, Margin


def charge_out(charge: Charge) -> ledger_pb2.Charge:
    return ledger_pb2.Charge(
        product_code=charge.product_code,
        quantity=charge.quantity,
        unit_price=_optional(charge.unit_price),
        price=amount_out(charge.price),
        unit_cost=_optional(charge.unit_cost),
        cost=_optional(charge.cost),
        vendor_code=charge.vendor_code,
        tax=_optional(charge.tax),
        tax_code=charge.tax_code,
        revenue=amount_out(charge.revenue),
        margins=[
            ledger_pb2.Margin(wallet_id=each.wallet_id, minor_units=each.minor_units)
            for each in charge.margins
        ],
    )


def _optional(amount: Amount | None) -> amount_pb2.Amount | None:
    return None if amount is None else amount_out(amount)


def amount_out(amount: Amount) -> amount_pb2.Amount:
    return amount_pb2.Amount(asset_code=amount.asset_code, minor_units=amount.minor_units)


def charge_of(charge: ledger_pb2.Charge) -> Charge:
    # What was charged before there was tax and margin was all revenue.
    revenue = charge.revenue if charge.HasField("revenue") else charge.price
    return Charge(
        product_code=charge.product_code,
        quantity=charge.quantity,
        unit_price=amount_of(charge.unit_price) if charge.HasField("unit_price") else None,
        price=amount_of(charge.price),
        unit_cost=amount_of(charge.unit_cost) if charge.HasField("unit_cost") else None,
        cost=amount_of(charge.cost) if charge.HasField("cost") else None,
        vendor_code=charge.vendor_code,
        tax=amount_of(charge.tax) if charge.HasField("tax") else None,
        tax_code=charge.tax_code,
        revenue=amount_of(revenue),
        margins=tuple(Margin(each.wallet_id, each.minor_units) for each in charge.margins),
    )


def amount_of(amount: amount_pb2.Amount) -> Amount:
    return Amount(asset_code=amount.asset_code, minor_units=amount.minor_units)
