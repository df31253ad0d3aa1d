"""The embedded stack: every server and service of the product, on a bare machine.

For development, tests and the demo. Nothing of the product imports it.
"""
