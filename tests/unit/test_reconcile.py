"""How the ledger's events and finance's documents are compared."""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from privy.wallet.v1 import ledger_pb2
from privy.wallet.v1.event_log_pb2 import RecordedEvent
from privy.wallet.v1.feed_pb2 import FeedEvent

from tests.finance_events import CHART, finance_event
from transaction_service.erp_sink.decode import decode
from transaction_service.erp_sink.document import document_of
from transaction_service.erp_sink.event import Event
from transaction_service.publisher.messages import attributes_of, message_of
from walletctl.finance.comparison import FIELDS, differing, document_sums, ledger_sums
from walletctl.finance.findings import Difference, Findings, Kind
from walletctl.finance.joining import joined

SIDES = st.dictionaries(st.text("0123456789", min_size=1, max_size=3), st.integers())


@given(SIDES, SIDES)
def test_a_join_has_every_key_once_with_both_sides(
    left: dict[str, int], right: dict[str, int]
) -> None:
    """As dictionaries would say it, in the order of keys."""
    assert list(joined(sorted(left.items()), sorted(right.items()))) == [
        (key, left.get(key), right.get(key)) for key in sorted({*left, *right})
    ]


@pytest.mark.parametrize("keys", [["b", "a"], ["a", "a"]])
def test_a_join_refuses_keys_that_do_not_grow(keys: list[str]) -> None:
    """On either side: out of order, what is there would be named as missing."""
    items = [(key, 1) for key in keys]
    for left, right in ((items, []), ([], items)):
        with pytest.raises(ValueError, match="comes after"):
            list(joined(left, right))


def committed() -> FeedEvent:
    """Build an event as the ledger has it: a customer of a reseller uses something with a cost."""
    planned = finance_event("")
    planned.ClearField("lines")
    event = FeedEvent(
        transaction_id="txn_1",
        wallet_id="wal_1",
        payload=planned.SerializeToString(),
        create_time=Timestamp(seconds=1_800_000_000, nanos=123_000_000),
        effective_time=Timestamp(seconds=1_700_000_000, nanos=123_456_000),
    )
    for wallet_id, account_type, minor in (
        ("wal_1", "WALLET", 1_100),
        ("", "REVENUE", -700),
        ("wal_9", "WALLET", -300),
        ("", "TAX_PAYABLE", -100),
        ("", "VENDOR_COST", 200),
        ("", "VENDOR_PAYABLE", -200),
    ):
        entry = event.entries.add(wallet_id=wallet_id)
        entry.account_type = ledger_pb2.AccountType.Value(f"ACCOUNT_TYPE_{account_type}")
        entry.amount.asset_code, entry.amount.minor_units = "IDR", minor
    return event


def recorded() -> RecordedEvent:
    return RecordedEvent(event=committed(), kind=ledger_pb2.TRANSACTION_KIND_USAGE)


def document(event: FeedEvent) -> dict[str, Any]:
    """Take an event the whole road: through the publisher and the sink, as Firestore gives it."""
    decoded = decode(message_of(event, CHART).data, attributes_of(event), CHART.codes())
    assert isinstance(decoded, Event), decoded
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in document_of(decoded).items()
    }


def test_what_the_sink_writes_is_what_the_ledger_says() -> None:
    """Every field that is compared, and the sums, through publisher and sink."""
    event = committed()
    written = document(event)
    assert differing(recorded(), written) == []
    assert written.keys() >= set(FIELDS)
    assert document_sums(written) == ledger_sums(event)
    assert ledger_sums(event)["WALLET", "IDR"] == 800


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("alter", [lambda fields, name: fields.pop(name), "another value"])
def test_each_field_that_differs_is_named(
    name: str, alter: str | Callable[[dict[str, Any], str], Any]
) -> None:
    """Altered or missing, each of them alone."""
    written = document(committed())
    if callable(alter):
        alter(written, name)
    else:
        written[name] = alter
    assert differing(recorded(), written) == [name]


@pytest.mark.parametrize(
    ("name", "value"),
    [("type", "LINE_TYPE_MARGIN"), ("amount_minor", 1), ("asset_code", "USD"), ("wallet_id", "")],
)
def test_each_part_of_a_line_counts(name: str, value: object) -> None:
    """A line that says something else than the entry makes the lines differ."""
    written = document(committed())
    written["lines"][0] = {**written["lines"][0], name: value}
    assert differing(recorded(), written) == ["lines"]


def test_a_line_too_much_and_another_order_differ() -> None:
    """Lines are the ledger's entries one for one, in their order."""
    lines = document(committed())["lines"]
    for altered in (lines[::-1], lines[1:], [*lines, lines[0]], [*lines, "no line"]):
        assert differing(recorded(), {**document(committed()), "lines": altered}) == ["lines"]


def test_an_event_that_cannot_be_read_differs_from_any_document() -> None:
    """It has none, and what stands in its place is named, not passed over."""
    unread, written = recorded(), document(committed())
    unread.event.payload = b"\xff"
    assert "product_code" in differing(unread, written)


def test_a_kind_is_what_the_ledger_says() -> None:
    """An event that was planned without its kind agrees with the document that was mended."""
    mended = document(committed())
    planned = finance_event("")
    planned.ClearField("kind")
    careless = recorded()
    careless.event.payload = planned.SerializeToString()
    assert differing(careless, mended) == []


def test_sums_survive_what_is_no_line() -> None:
    """An unknown type stands for itself; what has no amount counts for nothing."""
    lines = [
        {"type": "LINE_TYPE_NEW", "asset_code": "IDR", "amount_minor": 5},
        {"type": "LINE_TYPE_TAX", "asset_code": "IDR", "amount_minor": "5"},
        "no line",
    ]
    assert document_sums({"lines": lines}) == {("LINE_TYPE_NEW", "IDR"): 5}
    assert document_sums({"lines": 3}) == document_sums({}) == {}


def test_every_difference_is_counted_and_some_are_kept() -> None:
    """Memory does not grow with what is off."""
    findings = Findings(limit=2)
    assert findings.agree
    for number in range(5):
        findings.note(Difference(Kind.EXTRA, f"txn_{number}"))
    assert findings.counts == {Kind.EXTRA: 5}
    assert [row["event_id"] for row in findings.rows()] == ["txn_0", "txn_1"]
    assert not findings.agree


def test_sums_that_differ_are_no_agreement() -> None:
    """Also where no single event is off."""
    findings = Findings(limit=1)
    findings.ledger["REVENUE", "IDR"] = -5
    assert not findings.agree
    (row,) = findings.sums()
    assert (row["ledger_minor"], row["documents_minor"]) == (-5, 0)
    findings.told["REVENUE", "IDR"] = -5
    assert findings.agree
