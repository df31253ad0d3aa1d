"""The price book: what a unit of each product earns and costs."""

from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.errors import invalid
from transaction_service.domain import MAX_AMOUNT_MINOR, Amount, Buyer, Charge, Code

PRODUCT_UNKNOWN = "PRODUCT_UNKNOWN"


class Product(BaseModel):
    """A flat price, and what the house pays a vendor for each unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product_code: Code
    unit_price: Amount
    unit_cost: Amount | None = None
    vendor_code: str = ""

    @model_validator(mode="after")
    def _cost_has_a_vendor(self) -> "Product":
        if (self.unit_cost is None) != (not self.vendor_code):
            raise ValueError("unit_cost and vendor_code go together")
        return self


class PriceBook(BaseModel):
    """One version of all prices; immutable once it is in use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Code
    products: tuple[Product, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _codes_are_unique(self) -> "PriceBook":
        codes = [product.product_code for product in self.products]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"products are listed twice: {', '.join(twice)}")
        return self


def charge(book: PriceBook, product_code: str, quantity: int, _buyer: Buyer) -> Charge:
    """Price a usage. Raises `InvalidArgument` for an unknown product or too large a quantity."""
    for product in book.products:
        if product.product_code == product_code:
            price = _times(product.unit_price, quantity)
            return Charge(
                product_code=product_code,
                quantity=quantity,
                unit_price=product.unit_price,
                price=price,
                unit_cost=product.unit_cost,
                cost=_times(product.unit_cost, quantity) if product.unit_cost else None,
                vendor_code=product.vendor_code,
                tax=None,
                tax_code="",
                revenue=price,
                margins=(),
            )
    raise invalid("product_code", f"is not in price book {book.version}", PRODUCT_UNKNOWN)


def part(whole: Charge, quantity_before: int, quantity: int) -> Charge:
    """Say what `quantity` of the units come to, after `quantity_before` of them."""
    price = _part(whole.price, whole.quantity, quantity_before, quantity)
    return replace(
        whole,
        quantity=quantity,
        price=price,
        cost=whole.cost and _part(whole.cost, whole.quantity, quantity_before, quantity),
        revenue=price,
    )


def _part(amount: Amount, of: int, before: int, quantity: int) -> Amount:
    up_to_now, then = (amount.minor_units * each // of for each in (before, before + quantity))
    return Amount.model_construct(asset_code=amount.asset_code, minor_units=then - up_to_now)


def _times(unit: Amount, quantity: int) -> Amount:
    minor_units = unit.minor_units * quantity
    if minor_units > MAX_AMOUNT_MINOR:
        raise invalid("quantity", f"makes an amount above {MAX_AMOUNT_MINOR} minor units")
    return Amount(asset_code=unit.asset_code, minor_units=minor_units)
