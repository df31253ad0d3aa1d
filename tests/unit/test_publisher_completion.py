"""Events as they are completed: the ledger's entries become finance's lines."""

from pathlib import Path

import pytest
from privy.erp.v1.event_pb2 import CostRevenueEvent, LineType
from privy.wallet.v1 import wallet_pb2
from privy.wallet.v1.feed_pb2 import FeedEvent
from privy.wallet.v1.ledger_pb2 import AccountType

from tests.finance_events import CHART
from transaction_service.chart_of_accounts import ChartOfAccounts, load_chart
from transaction_service.publisher.completion import complete

Entry = tuple[str, str, str, int]
"""Account type, wallet, asset, minor units."""

WALLET, REVENUE = ("WALLET", "wal_1", "IDR", 2220), ("REVENUE", "", "IDR", -1200)


def committed(planned: CostRevenueEvent, *entries: Entry) -> FeedEvent:
    event = FeedEvent(
        transaction_id="txn_7", wallet_id="wal_1", payload=planned.SerializeToString()
    )
    event.create_time.FromJsonString("2026-03-10T03:56:24.25Z")
    event.effective_time.FromJsonString("2026-03-01T00:00:00Z")
    for account_type, wallet_id, asset_code, minor_units in entries:
        entry = event.entries.add(
            wallet_id=wallet_id, account_type=AccountType.Value(f"ACCOUNT_TYPE_{account_type}")
        )
        entry.amount.asset_code, entry.amount.minor_units = asset_code, minor_units
    return event


def completed(
    planned: CostRevenueEvent, *entries: Entry, chart: ChartOfAccounts = CHART
) -> CostRevenueEvent:
    return CostRevenueEvent.FromString(complete(committed(planned, *entries), chart))


def types_of(event: CostRevenueEvent) -> list[str]:
    return [LineType.Name(each.type).removeprefix("LINE_TYPE_") for each in event.lines]


def test_a_payload_is_completed_with_what_only_the_ledger_knew() -> None:
    """Transaction id and times are filled in; everything planned stays."""
    planned = CostRevenueEvent(wallet_id="wal_1", quantity=3, reference="order-1")
    event = completed(planned)
    assert event.transaction_id == "txn_7"
    assert event.create_time.ToJsonString() == "2026-03-10T03:56:24.250Z"
    assert event.effective_time.ToJsonString() == "2026-03-01T00:00:00Z"
    for name in ("transaction_id", "create_time", "effective_time"):
        event.ClearField(name)
    assert event == planned


def test_a_payload_that_is_no_event_is_passed_on_as_it_is() -> None:
    """It must not stop the feed; the sink will put it among the dead letters."""
    assert complete(FeedEvent(payload=b"\xff\xff"), CHART) == b"\xff\xff"


def test_lines_of_the_payload_stay_where_the_feed_has_no_entries() -> None:
    """An event from before the feed had any is as complete as it was."""
    planned = CostRevenueEvent()
    planned.lines.add(type=LineType.LINE_TYPE_REVENUE)
    assert completed(planned).lines == planned.lines


ENTRIES: list[tuple[Entry, str]] = [
    (("WALLET", "wal_1", "IDR", 9), "DEFERRED_REVENUE"),
    (("WALLET", "wal_2", "IDR", 9), "DEFERRED_REVENUE"),
    (("FUNDING", "", "IDR", 9), "FUNDING"),
    (("REVENUE", "", "IDR", 9), "REVENUE"),
    (("VENDOR_COST", "", "IDR", 9), "COST"),
    (("VENDOR_PAYABLE", "", "IDR", 9), "VENDOR_PAYABLE"),
    (("BREAKAGE", "", "IDR", 9), "BREAKAGE"),
    (("EXCHANGE", "", "IDR", 9), "EXCHANGE"),
    (("TAX_PAYABLE", "", "IDR", 9), "TAX"),
    (("UNSPECIFIED", "", "IDR", 9), "UNSPECIFIED"),
]


def test_each_account_type_has_its_type_of_line() -> None:
    """None but UNSPECIFIED is left out; what is not known to finance the sink will refuse."""
    event = completed(CostRevenueEvent(wallet_id="wal_1"), *(entry for entry, _ in ENTRIES))
    assert types_of(event) == [line_type for _, line_type in ENTRIES]
    assert {entry[0] for entry, _ in ENTRIES} == {
        name.removeprefix("ACCOUNT_TYPE_")
        for name in AccountType.keys()  # noqa: SIM118 (no mapping)
    }


def test_the_lines_are_the_entries_that_moved_something() -> None:
    """One for each, in their order, with its amount and wallet, and the accounts of the chart."""
    planned = CostRevenueEvent(wallet_id="wal_1", vendor_code="CA", tax_code="VAT")
    planned.lines.add(type=LineType.LINE_TYPE_FUNDING)
    event = completed(
        planned,
        WALLET,
        ("WALLET", "wal_2", "IDR", 0),
        ("REVENUE", "", "IDR", -2000),
        ("TAX_PAYABLE", "", "IDR", -220),
        ("VENDOR_COST", "", "USD", 7),
        ("VENDOR_PAYABLE", "", "USD", -7),
    )
    found = [
        (line.wallet_id, line.amount.asset_code, line.amount.minor_units,
         line.vendor_code, line.tax_code, line.account_code)
        for line in event.lines
    ]  # fmt: skip
    assert found == [
        ("wal_1", "IDR", 2220, "", "", "2410"),
        ("", "IDR", -2000, "", "", "4110"),
        ("", "IDR", -220, "", "VAT", "2310"),
        ("", "USD", 7, "CA", "", "5110"),
        ("", "USD", -7, "CA", "", "2110"),
    ]


def test_the_nearest_wallet_of_each_role_is_named() -> None:
    """Among the whole path, the wallet itself included; roles that nobody has stay empty."""
    nodes = [("RESELLER", ""), ("RESELLER", ""), ("ENTERPRISE", "ENTERPRISE")]
    nodes += [("ENTERPRISE", "CHANNEL"), ("ENTERPRISE", "CHANNEL")]
    path = [
        wallet_pb2.PathNode(
            wallet_id=f"wal_{number}",
            type=wallet_pb2.WalletType.Value(f"WALLET_TYPE_{of_type}"),
            role=role,
        )
        for number, (of_type, role) in enumerate(nodes, 1)
    ]
    event = completed(CostRevenueEvent(path=path))
    assert event.reseller_wallet_id == "wal_2"
    assert event.enterprise_wallet_id == "wal_3"
    assert event.channel_wallet_id == "wal_5"
    assert event.merchant_wallet_id == event.application_wallet_id == ""


def test_what_sellers_earn_is_margin() -> None:
    """What others pay, or are paid for something else, is deferred revenue."""
    planned = CostRevenueEvent(wallet_id="wal_1", seller_wallet_ids=["wal_7", "wal_8"])
    margins: list[Entry] = [("WALLET", "wal_7", "IDR", -500), ("WALLET", "wal_8", "IDR", -300)]
    above: Entry = ("WALLET", "wal_3", "IDR", 220)
    usage = completed(planned, ("WALLET", "wal_1", "IDR", 1780), above, REVENUE, *margins)
    assert types_of(usage) == ["DEFERRED_REVENUE"] * 2 + ["REVENUE", "MARGIN", "MARGIN"]
    assert [each.account_code for each in usage.lines] == ["2410", "2410", "4110", "2420", "2420"]


def _chart(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


ALL_BUT_TAX = "\n".join(
    f'{name.removeprefix("LINE_TYPE_")} = "1"'
    for name, number in LineType.items()
    if number and name != "LINE_TYPE_TAX"
)


def test_an_asset_may_have_accounts_of_its_own(tmp_path: Path) -> None:
    """For some types of line; the others are as for any asset."""
    text = f'[accounts]\n{ALL_BUT_TAX}\nTAX = "2"\n[assets.USD]\nTAX = "3"\n'
    chart = load_chart(_chart(tmp_path / "chart.toml", text))
    tax, revenue = LineType.LINE_TYPE_TAX, LineType.LINE_TYPE_REVENUE
    assert [chart.code_of(tax, asset) for asset in ("IDR", "USD")] == ["2", "3"]
    assert chart.code_of(revenue, "USD") == "1"


def test_every_code_of_a_chart_is_known_to_it(tmp_path: Path) -> None:
    """Those of an asset too, and those that are retired: events under way may have any of them."""
    text = f'retired = ["0"]\n[accounts]\n{ALL_BUT_TAX}\nTAX = "2"\n[assets.USD]\nTAX = "3"\n'
    assert load_chart(_chart(tmp_path / "chart.toml", text)).codes() == {"0", "1", "2", "3"}


BAD_CHARTS = [
    ("type missing", f"[accounts]\n{ALL_BUT_TAX}", "have no account: TAX"),
    ("type unknown", f"[accounts]\n{ALL_BUT_TAX}\nTAX = '1'\nTIPS = '1'", "no such types"),
    ("type of an asset unknown", "[assets.USD]\nTIPS = '1'", "assets.USD: Value error, no such"),
    ("code empty", f"[accounts]\n{ALL_BUT_TAX}\nTAX = ''", "accounts.TAX"),
    ("no chart at all", "", "accounts: Field required"),
    ("no TOML", "[accounts", "chart of accounts"),
]


@pytest.mark.parametrize(("text", "words"), [each[1:] for each in BAD_CHARTS])
def test_a_bad_chart_ends_the_process_in_words(tmp_path: Path, text: str, words: str) -> None:
    """Finance must not find out from lines without an account."""
    with pytest.raises(SystemExit, match=words):
        load_chart(_chart(tmp_path / "chart.toml", text))
