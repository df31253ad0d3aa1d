"""A small Pub/Sub: one process, everything in memory, Google's gRPC at the edge.

    service       gRPC ⇄ broker, and the streams that wait for messages
    broker        topics, subscriptions, publishing, dead letters
    subscription  its settings, its backlog, and who waits for it
    backlog       one subscription's messages: a pure state machine that is told the time
    delivery      what a backlog is made of
    filters       which messages a subscription wants

Stricter than Google's emulator where the real service is: it heeds filters, backoffs and the
order of redelivered messages, and refuses a request that mixes ordering keys. Left out: push,
snapshots, schemas, access control, and forgetting messages by age.
"""
