"""What is usually built: one lock, one hop and one SQL transaction for each action.

Two small services that do a `RecordUsage` with neither batches nor limits nor chains, as well as
that can be done: connections are kept, statements prepared, commits durable.
"""
