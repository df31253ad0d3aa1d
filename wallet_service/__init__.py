"""The Wallet service: the double-entry ledger. It alone owns the books."""
