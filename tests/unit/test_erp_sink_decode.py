"""What the sink makes of a delivery: an event, or the reason why it is none."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from privy.erp.v1.event_pb2 import CostRevenueEvent
from privy.wallet.v1.ledger_pb2 import TransactionKind

from tests.finance_events import CHART, event_attributes, finance_event
from transaction_service.erp_sink.decode import decode
from transaction_service.erp_sink.document import document_of
from transaction_service.erp_sink.event import Event, Fault, Line, Node, Reason

CODES = CHART.codes()
ATTRIBUTES = event_attributes(finance_event("txn_7"))

Spoil = Callable[[CostRevenueEvent], object]


def _decoded(event: CostRevenueEvent) -> Event | Fault:
    return decode(event.SerializeToString(), ATTRIBUTES, CODES)


def test_every_field_is_taken_over_in_readable_form() -> None:
    """Enums by name, amounts as integers, times as datetimes."""
    event = _decoded(finance_event("txn_7"))
    assert event == Event(
        transaction_id="txn_7",
        kind="TRANSACTION_KIND_USAGE",
        wallet_id="wal_1",
        product_code="ESIGN",
        quantity=2,
        lines=(
            Line("LINE_TYPE_DEFERRED_REVENUE", "IDR", 1000, "wal_1", "", "", "2410"),
            Line("LINE_TYPE_REVENUE", "IDR", -1000, "wal_1", "", "", "4110"),
        ),
        price_book_version="2026-01",
        request_id="req-1",
        reference="order-1",
        booking_id="",
        voids_transaction_id="",
        path=(
            Node("wal_9", "WALLET_TYPE_RESELLER", ""),
            Node("wal_1", "WALLET_TYPE_ENTERPRISE", "MERCHANT"),
        ),
        enterprise_wallet_id="wal_8",
        merchant_wallet_id="wal_1",
        application_wallet_id="",
        channel_wallet_id="",
        reseller_wallet_id="wal_9",
        vendor_code="CA",
        tax_code="VAT",
        seller_wallet_ids=("wal_9",),
        created_at=datetime.fromtimestamp(1_800_000_000, UTC),
        effective_at=datetime.fromtimestamp(1_800_000_001, UTC),
    )


def test_an_event_without_lines_is_one() -> None:
    """A booking sets money aside: it costs and earns nothing."""
    event = finance_event("txn_7")
    event.ClearField("lines")
    assert isinstance(_decoded(event), Event)


@pytest.mark.parametrize("attributes", [{}, {"ce-type": ""}, {"ce-type": "privy.erp.v2.Other"}])
def test_a_foreign_type_is_named(attributes: dict[str, str]) -> None:
    """It is refused before its bytes are looked at, which may well parse as something."""
    fault = decode(b"\xff", attributes, CODES)
    assert isinstance(fault, Fault)
    assert fault.reason == "EVENT_TYPE_FOREIGN"
    assert repr(attributes.get("ce-type")) in fault.detail


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("ce-type", "privy.erp.v2.CostRevenueEvent"),
        ("ce-type", "privy.erp.v1beta1.CostRevenueEvent"),
        ("ce-specversion", "0.3"),
        ("ce-specversion", "2.0"),
    ],
)
def test_another_version_is_named(name: str, version: str) -> None:
    """What this sink was not made to read is not guessed at, though it may parse."""
    data = finance_event("txn_7").SerializeToString()
    fault = decode(data, {**ATTRIBUTES, name: version}, CODES)
    assert isinstance(fault, Fault)
    assert fault.reason == "EVENT_VERSION_UNKNOWN"
    assert f"{name} is {version!r}" in fault.detail


def test_an_envelope_without_its_version_is_refused() -> None:
    """It says no more than that it is of our type."""
    attributes = {"ce-type": ATTRIBUTES["ce-type"]}
    fault = decode(finance_event("txn_7").SerializeToString(), attributes, CODES)
    assert isinstance(fault, Fault)
    assert fault.reason == "EVENT_VERSION_UNKNOWN"


def test_bytes_that_are_no_event_are_undecodable() -> None:
    """A truncated message is no event."""
    fault = decode(finance_event("txn_7").SerializeToString()[:-1], ATTRIBUTES, CODES)
    assert isinstance(fault, Fault)
    assert fault.reason == "EVENT_UNDECODABLE"


def _set_id(transaction_id: str) -> Spoil:
    return lambda event: setattr(event, "transaction_id", transaction_id)


def _unbalance(event: CostRevenueEvent) -> None:
    event.lines[0].amount.minor_units += 1


def _unbalance_each_asset(event: CostRevenueEvent) -> None:
    """Sums to zero over all, but not in each asset."""
    event.lines[0].amount.asset_code = "ESIGN"


def _charge(account_code: str) -> Spoil:
    return lambda event: setattr(event.lines[1], "account_code", account_code)


FAULTS: list[tuple[str, Spoil, Reason, str]] = [
    ("no id", _set_id(""), "TRANSACTION_ID_INVALID", "required"),
    ("id with a slash", _set_id("a/b"), "TRANSACTION_ID_INVALID", "slash"),
    ("id of a dot", _set_id("."), "TRANSACTION_ID_INVALID", "reserved"),
    ("id of two dots", _set_id(".."), "TRANSACTION_ID_INVALID", "reserved"),
    ("reserved id", _set_id("__id7__"), "TRANSACTION_ID_INVALID", "reserved"),
    ("long id", _set_id("é" * 751), "TRANSACTION_ID_INVALID", "1500 bytes"),
    ("no kind", lambda event: event.ClearField("kind"), "FIELD_INVALID", "kind 0"),
    ("newer kind", lambda event: setattr(event, "kind", 999), "FIELD_INVALID", "kind 999"),
    ("no time", lambda event: event.ClearField("create_time"), "FIELD_INVALID", "create_time"),
    (
        "time out of range",
        lambda event: setattr(event.effective_time, "seconds", 2**62),
        "FIELD_INVALID",
        "effective_time",
    ),
    (
        "no line type",
        lambda event: event.lines[1].ClearField("type"),
        "FIELD_INVALID",
        "lines[1].type",
    ),
    (
        "no asset",
        lambda event: event.lines[0].amount.ClearField("asset_code"),
        "FIELD_INVALID",
        "lines[0].amount.asset_code",
    ),
    (
        "too many lines",
        lambda event: event.lines.extend([event.lines[0]] * 63),
        "FIELD_INVALID",
        "lines are 65",
    ),
    (
        "no wallet type",
        lambda event: event.path[1].ClearField("type"),
        "FIELD_INVALID",
        "path[1].type",
    ),
    (
        "too long a path",
        lambda event: event.path.extend([event.path[0]] * 31),
        "FIELD_INVALID",
        "path has 33 wallets",
    ),
    (
        "too many sellers",
        lambda event: event.seller_wallet_ids.extend(["wal_9"] * 32),
        "FIELD_INVALID",
        "seller_wallet_ids are 33",
    ),
    ("unbalanced", _unbalance, "LINES_UNBALANCED", "IDR sum to 1"),
    ("unbalanced in each asset", _unbalance_each_asset, "LINES_UNBALANCED", "ESIGN sum to 1000"),
    ("unknown account", _charge("9999"), "ACCOUNT_CODE_UNKNOWN", "lines[1].account_code '9999'"),
    ("no account", _charge(""), "ACCOUNT_CODE_UNKNOWN", "lines[1].account_code ''"),
]


@pytest.mark.parametrize(("spoil", "reason", "detail"), [each[1:] for each in FAULTS])
def test_what_can_never_be_a_document_says_why(spoil: Spoil, reason: Reason, detail: str) -> None:
    """One spoiled field, its reason, and a detail that names it."""
    event = finance_event("txn_7")
    spoil(event)
    fault = _decoded(event)
    assert isinstance(fault, Fault)
    assert fault.reason == reason
    assert detail in fault.detail


def test_the_first_fault_in_the_order_of_reasons_is_answered() -> None:
    """With everything wrong at once, each repair shows the next fault."""
    event = finance_event("")
    event.kind = TransactionKind.TRANSACTION_KIND_UNSPECIFIED
    _unbalance(event)
    _charge("9999")(event)
    repairs: list[tuple[Reason, Spoil]] = [
        ("TRANSACTION_ID_INVALID", _set_id("txn_7")),
        ("FIELD_INVALID", lambda event: setattr(event, "kind", 1)),
        ("LINES_UNBALANCED", lambda event: setattr(event.lines[0].amount, "minor_units", 1000)),
        ("ACCOUNT_CODE_UNKNOWN", _charge("4110")),
    ]
    for reason, repair in repairs:
        fault = _decoded(event)
        assert isinstance(fault, Fault)
        assert fault.reason == reason
        repair(event)
    assert isinstance(_decoded(event), Event)


@given(st.binary(max_size=200))
def test_no_bytes_can_make_it_raise(data: bytes) -> None:
    """Poison is answered, never thrown: it would stop everything behind it."""
    assert isinstance(decode(data, ATTRIBUTES, CODES), Event | Fault)


@given(
    st.builds(CostRevenueEvent, transaction_id=st.text(max_size=20), quantity=st.integers(-9, 9))
)
def test_no_event_can_make_it_raise(event: CostRevenueEvent) -> None:
    """The same for bytes that do parse."""
    event.create_time.seconds = event.effective_time.seconds = 2**40
    assert isinstance(_decoded(event), Event | Fault)


def test_the_document_holds_every_field_of_the_event() -> None:
    """Under the names of the contract, with nothing left out."""
    event = _decoded(finance_event("txn_7"))
    assert isinstance(event, Event)
    document = document_of(event)
    assert document["kind"] == "TRANSACTION_KIND_USAGE"
    assert document["create_time"] == datetime.fromtimestamp(1_800_000_000, UTC)
    assert document["lines"] == [
        {
            "type": "LINE_TYPE_DEFERRED_REVENUE",
            "asset_code": "IDR",
            "amount_minor": 1000,
            "wallet_id": "wal_1",
            "vendor_code": "",
            "tax_code": "",
            "account_code": "2410",
        },
        {
            "type": "LINE_TYPE_REVENUE",
            "asset_code": "IDR",
            "amount_minor": -1000,
            "wallet_id": "wal_1",
            "vendor_code": "",
            "tax_code": "",
            "account_code": "4110",
        },
    ]
    assert document["path"] == [
        {"wallet_id": "wal_9", "type": "WALLET_TYPE_RESELLER", "role": ""},
        {"wallet_id": "wal_1", "type": "WALLET_TYPE_ENTERPRISE", "role": "MERCHANT"},
    ]
    assert document["seller_wallet_ids"] == ("wal_9",)
    assert set(document) == set(CostRevenueEvent.DESCRIPTOR.fields_by_name)
