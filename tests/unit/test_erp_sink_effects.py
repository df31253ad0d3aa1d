"""What events do in Firestore: what they add to profit and loss, and how commits are cut."""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privy.erp.v1.event_pb2 import CostRevenueEvent, LineType

from tests.finance_events import CHART, event_attributes, finance_event
from transaction_service.erp_sink.aggregates import SHARDS, Key, additions_of, id_of, total_of
from transaction_service.erp_sink.decode import decode
from transaction_service.erp_sink.effects import MAX_WRITES, Effect, commits_of, effect_of
from transaction_service.erp_sink.event import Event

Posted = tuple[str, str, int]
"""Type of line, asset, signed minor units."""

KEY = Key("2027-01-15", "ESIGN", "wal_8", "wal_1", "wal_9", "IDR")


def _event(*lines: Posted) -> Event:
    return _decoded(_message(lines))


def _message(lines: Iterable[Posted]) -> CostRevenueEvent:
    message = finance_event("txn_7")
    message.ClearField("lines")
    for name, asset_code, minor_units in lines:
        line_type = LineType.Value(f"LINE_TYPE_{name}")
        line = message.lines.add(type=line_type, account_code=CHART.code_of(line_type, asset_code))
        line.amount.asset_code, line.amount.minor_units = asset_code, minor_units
    return message


def _decoded(message: CostRevenueEvent) -> Event:
    event = decode(message.SerializeToString(), event_attributes(message), CHART.codes())
    assert isinstance(event, Event)
    return event


USAGE: list[Posted] = [
    ("DEFERRED_REVENUE", "IDR", 2_220),
    ("REVENUE", "IDR", -1_700),
    ("MARGIN", "IDR", -200),
    ("MARGIN", "IDR", -100),
    ("TAX", "IDR", -220),
    ("COST", "IDR", 600),
    ("VENDOR_PAYABLE", "IDR", -600),
]


def test_what_was_earned_spent_and_owed_is_positive() -> None:
    """The example of docs/finance-events.md: each line in its field, those of one type summed."""
    assert additions_of(_event(*USAGE)) == {
        KEY: {"revenue_minor": 1_700, "margin_minor": 300, "tax_minor": 220, "cost_minor": 600}
    }


def test_what_is_taken_back_is_subtracted() -> None:
    """A void's lines have the opposite signs: with the usage they sum to nothing."""
    void = _event(*((name, asset_code, -minor) for name, asset_code, minor in USAGE))
    total = total_of([additions_of(_event(*USAGE)), additions_of(void)])
    assert set(total[KEY].values()) == {0}


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [("FUNDING", "IDR", 10), ("DEFERRED_REVENUE", "IDR", -10)],
        [("EXCHANGE", "IDR", 10), ("DEFERRED_REVENUE", "IDR", -10)],
    ],
)
def test_what_neither_earns_nor_costs_adds_nothing(lines: list[Posted]) -> None:
    """A booking, a top-up, an exchange."""
    assert additions_of(_event(*lines)) == {}


def test_each_asset_has_an_aggregate_of_its_own() -> None:
    """Rupiah and dollars are never summed."""
    event = _event(
        ("DEFERRED_REVENUE", "IDR", 5), ("BREAKAGE", "IDR", -5), ("COST", "USD", 7),
        ("VENDOR_PAYABLE", "USD", -7),
    )  # fmt: skip
    assert additions_of(event) == {
        KEY: {"breakage_minor": 5},
        KEY._replace(asset_code="USD"): {"cost_minor": 7},
    }


@pytest.mark.parametrize(
    ("effective_at", "date"),
    [
        (datetime(2026, 3, 10, 23, 59, 59, tzinfo=UTC), "2026-03-10"),
        (datetime(2026, 3, 11, 0, 0, tzinfo=UTC), "2026-03-11"),
        (datetime(2026, 3, 11, 1, 0, tzinfo=timezone(timedelta(hours=7))), "2026-03-10"),
    ],
)
def test_a_day_is_one_of_utc_when_it_counts(effective_at: datetime, date: str) -> None:
    """Not when it was written."""
    message = _message(USAGE)
    message.effective_time.FromDatetime(effective_at)
    assert [key.effective_date for key in additions_of(_decoded(message))] == [date]


SPOILED: list[Callable[[Key], Key]] = [
    lambda key: key._replace(product_code="ESIGN2"),
    lambda key: key._replace(enterprise_wallet_id="wal_1", merchant_wallet_id="wal_8"),
    lambda key: key._replace(enterprise_wallet_id="", merchant_wallet_id="wal_8wal_1"),
    lambda key: key._replace(enterprise_wallet_id="wal_8\0wal_1", merchant_wallet_id=""),
]


@pytest.mark.parametrize("change", SPOILED)
def test_different_keys_have_different_ids(change: Callable[[Key], Key]) -> None:
    """Also where their parts, written one after the other, are the same letters."""
    assert id_of(KEY, 0) != id_of(change(KEY), 0)


def test_each_shard_is_a_document_whatever_its_key_holds() -> None:
    """An id is of letters that Firestore takes, and of one length."""
    awkward = KEY._replace(product_code="../__é__" * 400)
    ids = {id_of(awkward, shard) for shard in range(SHARDS)}
    assert len(ids) == SHARDS
    assert all(each.isalnum() and len(each) == 64 for each in ids)


def _effect(number: int, keys: Collection[int]) -> Effect:
    added = {KEY._replace(product_code=str(each)): {"revenue_minor": number} for each in keys}
    return Effect({"transaction_id": str(number)}, added)


@pytest.mark.parametrize(
    ("count", "key_of", "expected_sizes"),
    [
        (499, lambda _: [0], [499]),
        (500, lambda _: [0], [499, 1]),
        (500, lambda _: [], [500]),
        (500, lambda number: [number], [250, 250]),
        (500, lambda number: [number % 100], [400, 100]),
        (3, lambda number: range(200 * number, 200 * number + 200), [2, 1]),
        (0, lambda _: [0], []),
    ],
)  # fmt: skip
def test_a_commit_takes_500_writes_aggregates_included(
    count: int, key_of: Callable[[int], Collection[int]], expected_sizes: list[int]
) -> None:
    """Each aggregate is one write of it, however many events add to it."""
    effects = {str(number): _effect(number, key_of(number)) for number in range(count)}
    assert [len(each) for each in commits_of(effects)] == expected_sizes


@given(st.lists(st.sets(st.integers(0, 300), max_size=64), max_size=100))
def test_no_cut_loses_or_doubles_an_event(keys: list[set[int]]) -> None:
    """In order, each in one commit, and none beyond the limit, whatever they add to."""
    effects = {str(number): _effect(number, each) for number, each in enumerate(keys)}
    commits = list(commits_of(effects))
    assert [name for commit in commits for name in commit] == list(effects)
    for commit in commits:
        aggregates = total_of(each.additions for each in commit.values())
        assert 0 < len(commit) + len(aggregates) <= MAX_WRITES


def test_an_effect_is_the_document_and_what_it_adds() -> None:
    """Both of the same event."""
    effect = effect_of(_event(*USAGE))
    assert effect.document["transaction_id"] == "txn_7"
    assert list(effect.additions) == [KEY]
