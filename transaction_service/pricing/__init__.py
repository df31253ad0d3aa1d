"""Pure pricing: a price book, a buyer and a usage in, charges out: docs/prices.md."""
