"""The benchmarks: what the ledger does in a second, beside what its database could do."""
