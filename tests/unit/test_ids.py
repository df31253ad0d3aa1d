"""Ids: what they hold, how they grow, how they read."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet_service import ids

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@given(st.datetimes(datetime(2025, 1, 1), datetime(2090, 1, 1)), st.integers(0, 1 << 40))  # noqa: DTZ001
def test_an_id_holds_its_time_of_writing(naive: datetime, batch_number: int) -> None:
    """The time read from an id is the time it was drawn at, to the millisecond."""
    now = naive.replace(tzinfo=UTC)
    first = ids.first_transaction_id(now, batch_number, after=0)
    for transaction_id in (first, first + ids.MAX_BATCH - 1):
        assert timedelta(0) <= now - ids.recorded_at(transaction_id) < timedelta(milliseconds=1)
        assert transaction_id < ids.first_id_after(now)
    assert first < 1 << 63


def test_ids_grow_even_when_the_clock_is_set_back() -> None:
    """An id is greater than the last one on the batch's accounts, whatever the clock says."""
    last = ids.first_transaction_id(NOON, 4095, after=0) + ids.MAX_BATCH - 1
    assert ids.first_transaction_id(NOON - timedelta(hours=1), 0, after=last) > last


def test_batches_of_one_millisecond_do_not_share_ids() -> None:
    """Two batch numbers give ranges of ids that do not touch."""
    starts = [ids.first_transaction_id(NOON, number, after=0) for number in range(4096)]
    assert len({*starts}) == 4096
    assert min(b - a for a, b in pairwise(starts)) >= ids.MAX_BATCH


@pytest.mark.parametrize(
    ("text", "number"),
    [("wal_1001", 1001), ("wal_", -1), ("txn_1001", -1), ("1001", -1), ("wal_-5", -1),
     ("wal_٣", -1), (f"wal_{2**63 - 1}", 2**63 - 1), (f"wal_{2**63}", -1),
     ("wal_" + "1" * 20, -1), ("", -1), ("wal_1 ", -1)],
)  # fmt: skip
def test_malformed_wallet_ids_name_nothing(text: str, number: int) -> None:
    """Only `wal_` and the ASCII digits of a positive bigint name a wallet."""
    assert ids.wallet_number(text) == number
