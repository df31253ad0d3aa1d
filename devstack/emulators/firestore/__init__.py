"""A small Firestore: one process, everything in memory, Google's gRPC at the edge.

    service       gRPC ⇄ the rest
    store         the documents, and commits that happen whole or not at all
    writes        what one write makes of one document
    transforms    increments and other values that depend on the one before
    transactions  what each has read, checked again when it commits
    query         which documents, in which order; filters and aggregation beside it
    fields        paths into a document         values  how values compare

Transactions are optimistic: one whose reads have changed is ABORTED when it commits, where the
real service would rather have made the other one wait. Left out: listening, partitions,
pipelines, vectors, reads in the past, security rules and index requirements.
"""
