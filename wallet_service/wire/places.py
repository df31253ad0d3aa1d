"""Places in a statement, as page tokens hold them."""

from collections.abc import Sequence
from datetime import timedelta

from wallet_service import ids
from wallet_service.store.entries import Place, WalletEntry
from wallet_service.store.entries import place_of as place_of_entry

_INSTANT = timedelta(microseconds=1)


def place_out(entry: WalletEntry) -> list[int]:
    effective_at, shifted, transaction_id, leg_index = place_of_entry(entry)
    return [(effective_at - ids.EPOCH) // _INSTANT, int(shifted), transaction_id, leg_index]


def place_of(parts: Sequence[int] | None) -> Place | None:
    if parts is None:
        return None
    instants, shifted, transaction_id, leg_index = parts
    return Place(ids.EPOCH + instants * _INSTANT, bool(shifted), transaction_id, leg_index)
