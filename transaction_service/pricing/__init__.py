"""Pure pricing: a price book and a usage in, charges out. Exact integers, no rounding."""
