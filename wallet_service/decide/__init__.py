"""The pure core of the ledger: books and plans in, verdicts and writes out. No I/O here."""
