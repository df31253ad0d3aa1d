"""What a plan does to one account."""

from typing import NamedTuple

from wallet_service.decide.plan import AccountKey


class Movement(NamedTuple):
    """A signed amount, and a change of what is held; debits positive."""

    key: AccountKey
    amount_minor: int
    held_change_minor: int
