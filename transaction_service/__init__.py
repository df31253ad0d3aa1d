"""The front door of the ledger, and what follows from each action: publishing and finance records.

`publisher` and `erp_sink` are processes of their own: nothing here imports them but `__main__`.
"""
