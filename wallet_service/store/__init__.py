"""Every SQL statement of the Wallet service, each beside its call.

Coroutines here take a connection, run one statement and return values; where a `db_tx` begins
and ends is the use case's affair.
"""
