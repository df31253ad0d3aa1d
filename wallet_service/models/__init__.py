"""The wallet types: what each knows of a wallet, where one may stand, who pays, which limits hold.

A type is a module with one model, and a line in `registry`. All here is pure.
"""
