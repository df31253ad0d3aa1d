"""The demo: a story told on a running stack, shown in tables, and checked.

`acts` does what customers do, over gRPC. Then `dead_letters` mends what finance could not take,
`documents` reads what finance has, `audit` what the ledger has, and `reconciliation` compares them.
`scenes` says what each act shows, in `tables`; `page` prints it, and `checks` says whether every
figure is right. It counts on books that nobody else has used: `python -m devstack demo` gives it
such a stack.
"""
