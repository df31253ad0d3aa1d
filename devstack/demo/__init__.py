"""The demo: a story told on a running stack, shown in tables, and checked.

`acts` does what customers do, over gRPC; `documents` reads what finance got of it; `scenes` says
what each act shows, `page` prints it, and `checks` says whether every figure is right. It counts
on books that nobody else has used: `python -m devstack demo` gives it such a stack.
"""
