"""A good price book, prepared for looking prices up."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from transaction_service.domain import Buyer
from transaction_service.pricing.price_book import Override, Price, PriceBook, Product, Tax


@dataclass(frozen=True, slots=True)
class ProductPrices:
    """What a product costs whom. The overrides are by wallet id, reseller's id and wallet type."""

    product: Product
    tax: Tax | None
    wallets: dict[str, Price] = field(default_factory=dict)
    resellers: dict[str, Price] = field(default_factory=dict)
    types: dict[str, Price] = field(default_factory=dict)

    def price_for(self, buyer: Buyer) -> Price:
        """Answer what a buyer's own override says, or its nearest reseller's, or its type's.

        The first that is there wins; where there is none, everybody's price holds.
        """
        if price := self.wallets.get(buyer.wallet_id):
            return price
        if buyer.resellers and (price := self.resellers.get(buyer.resellers[0])):
            return price
        return self.types.get(buyer.wallet_type) or self.product.price


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """All prices of one version, by product code. Each is equal to itself alone."""

    version: str
    products: Mapping[str, ProductPrices]

    def priced_as(self, product_code: str, buyer: Buyer) -> Buyer:
        """Answer what the buyer of a product is charged as: it counts who has a price of its own.

        Those who are charged as the same buyer are charged the same.
        """
        product = self.products.get(product_code)
        if product and buyer.wallet_id in product.wallets:
            return buyer
        return Buyer("", buyer.wallet_type, buyer.resellers)


def prepare(book: PriceBook) -> Prices:
    """Prepare a book without faults."""
    taxes = {each.tax_code: each for each in book.taxes}
    products = {
        each.product_code: ProductPrices(each, taxes.get(each.tax_code)) for each in book.products
    }
    for override in book.overrides:
        _enter(products[override.product_code], override)
    return Prices(book.version, products)


def _enter(prices: ProductPrices, override: Override) -> None:
    if override.wallet_id:
        prices.wallets[override.wallet_id] = override.price
    elif override.reseller_wallet_id:
        prices.resellers[override.reseller_wallet_id] = override.price
    elif override.wallet_type:
        prices.types[override.wallet_type] = override.price
