"""What a usage is charged, and who earns what of it."""

from shared.errors import FailedPrecondition, invalid
from transaction_service.domain import MAX_AMOUNT_MINOR, Amount, Buyer, Charge, Margin
from transaction_service.pricing.price_book import VendorCost
from transaction_service.pricing.prices import Prices, ProductPrices
from transaction_service.pricing.taxes import net_minor, tax_minor
from transaction_service.pricing.totals import total_minor, unit_minor

PRODUCT_UNKNOWN = "PRODUCT_UNKNOWN"
PRICE_BELOW_WHOLESALE = "PRICE_BELOW_WHOLESALE"


def charge(prices: Prices, product_code: str, quantity: int, buyer: Buyer) -> Charge:
    """Price a usage of 1 or more units: the price is tax, margins and revenue, exactly.

    Raises, in order: `InvalidArgument` for an unknown product, or for a quantity that makes an
    amount above 10^17 minor units; `FailedPrecondition` where a reseller would sell below what
    it pays itself.
    """
    product = prices.products.get(product_code)
    if product is None:
        raise invalid("product_code", f"is not in price book {prices.version}", PRODUCT_UNKNOWN)
    asset_code = product.product.asset_code
    price = product.price_for(buyer)
    listed = total_minor(price, quantity)
    net, tax = net_minor(listed, product.tax), tax_minor(listed, product.tax)
    price_amount = _amount(asset_code, net + tax)
    margins, revenue = _shares(product, quantity, buyer, net)
    vendor_cost = product.product.vendor_cost
    return Charge(
        product_code=product_code,
        quantity=quantity,
        unit_price=_unit_amount(asset_code, unit_minor(price, quantity)),
        price=price_amount,
        unit_cost=_unit_cost(vendor_cost, quantity) if vendor_cost else None,
        cost=_cost(vendor_cost, quantity) if vendor_cost else None,
        vendor_code=vendor_cost.vendor_code if vendor_cost else "",
        tax=_amount(asset_code, tax) if tax else None,
        tax_code=product.product.tax_code if tax else "",
        revenue=_amount(asset_code, revenue),
        margins=margins,
    )


def _shares(
    product: ProductPrices, quantity: int, buyer: Buyer, net: int
) -> tuple[tuple[Margin, ...], int]:
    """Share what is paid without tax: each reseller keeps what it does not pay on.

    The house has what the last one pays. Resellers that keep nothing are left out.
    """
    margins = []
    for i, wallet_id in enumerate(buyer.resellers):
        reseller = Buyer(wallet_id, "RESELLER", buyer.resellers[i + 1 :])
        listed = total_minor(product.price_for(reseller), quantity)
        wholesale = net_minor(_amount(product.product.asset_code, listed).minor_units, product.tax)
        if wholesale > net:
            raise _below_wholesale(wallet_id, net, wholesale)
        if wholesale < net:
            margins.append(Margin(wallet_id, net - wholesale))
        net = wholesale
    return tuple(margins), net


def _below_wholesale(wallet_id: str, net: int, wholesale: int) -> FailedPrecondition:
    return FailedPrecondition(
        PRICE_BELOW_WHOLESALE,
        f"reseller {wallet_id} would sell for {net} what it buys for {wholesale}",
        {"wallet_id": wallet_id, "price_minor": str(net), "wholesale_minor": str(wholesale)},
    )


def _unit_cost(vendor_cost: VendorCost, quantity: int) -> Amount | None:
    return _unit_amount(vendor_cost.asset_code, unit_minor(vendor_cost.cost, quantity))


def _cost(vendor_cost: VendorCost, quantity: int) -> Amount:
    return _amount(vendor_cost.asset_code, total_minor(vendor_cost.cost, quantity))


def _unit_amount(asset_code: str, minor_units: int | None) -> Amount | None:
    return None if minor_units is None else _amount(asset_code, minor_units)


def _amount(asset_code: str, minor_units: int) -> Amount:
    if minor_units > MAX_AMOUNT_MINOR:
        raise invalid("quantity", f"makes an amount above {MAX_AMOUNT_MINOR} minor units")
    return Amount(asset_code=asset_code, minor_units=minor_units)
