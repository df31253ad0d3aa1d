"""An event as planned, with what only the ledger knew. Pure."""

from collections.abc import Collection, Iterator, Mapping

from google.protobuf.message import DecodeError
from privy.erp.v1 import event_pb2
from privy.erp.v1.event_pb2 import CostRevenueEvent, EventLine
from privy.wallet.v1 import ledger_pb2, wallet_pb2
from privy.wallet.v1.feed_pb2 import FeedEvent

from transaction_service.chart_of_accounts import ChartOfAccounts

# What finance calls a movement on an account. Money on a wallet is what customers have paid and
# not used yet.
_LINE_TYPES: "Mapping[ledger_pb2.AccountType.ValueType, event_pb2.LineType.ValueType]" = {
    ledger_pb2.ACCOUNT_TYPE_WALLET: event_pb2.LINE_TYPE_DEFERRED_REVENUE,
    ledger_pb2.ACCOUNT_TYPE_FUNDING: event_pb2.LINE_TYPE_FUNDING,
    ledger_pb2.ACCOUNT_TYPE_REVENUE: event_pb2.LINE_TYPE_REVENUE,
    ledger_pb2.ACCOUNT_TYPE_VENDOR_COST: event_pb2.LINE_TYPE_COST,
    ledger_pb2.ACCOUNT_TYPE_VENDOR_PAYABLE: event_pb2.LINE_TYPE_VENDOR_PAYABLE,
    ledger_pb2.ACCOUNT_TYPE_BREAKAGE: event_pb2.LINE_TYPE_BREAKAGE,
    ledger_pb2.ACCOUNT_TYPE_EXCHANGE: event_pb2.LINE_TYPE_EXCHANGE,
    ledger_pb2.ACCOUNT_TYPE_TAX_PAYABLE: event_pb2.LINE_TYPE_TAX,
}
_NEAREST: Mapping[str, str] = {
    "ENTERPRISE": "enterprise_wallet_id",
    "MERCHANT": "merchant_wallet_id",
    "APPLICATION": "application_wallet_id",
    "CHANNEL": "channel_wallet_id",
    "WALLET_TYPE_RESELLER": "reseller_wallet_id",
}
_OF_A_VENDOR = (event_pb2.LINE_TYPE_COST, event_pb2.LINE_TYPE_VENDOR_PAYABLE)


def complete(event: FeedEvent, chart: ChartOfAccounts) -> bytes:
    """Serialize the finance event of `event` with its ids, times and lines filled in.

    The lines are the ledger's entries that moved something; where the feed has none, those of the
    payload stay. A payload that is no event is passed on as it is: held back it would stop the
    feed, while the sink puts it among the dead letters, where it is seen.
    """
    completed = CostRevenueEvent()
    try:
        completed.ParseFromString(event.payload)
    except DecodeError:
        return event.payload
    completed.transaction_id = event.transaction_id
    completed.create_time.CopyFrom(event.create_time)
    completed.effective_time.CopyFrom(event.effective_time)
    _name_nearest(completed)
    if event.entries:
        lines = list(_lines(event, completed, chart))
        completed.ClearField("lines")
        completed.lines.extend(lines)
    return completed.SerializeToString()


def _name_nearest(completed: CostRevenueEvent) -> None:
    """Name the wallet of each role, and the reseller, that is nearest on the path."""
    for node in completed.path:
        role = _NEAREST.get(node.role or wallet_pb2.WalletType.Name(node.type))
        if role:
            setattr(completed, role, node.wallet_id)


def _lines(
    event: FeedEvent, planned: CostRevenueEvent, chart: ChartOfAccounts
) -> Iterator[EventLine]:
    for entry in event.entries:
        if entry.amount.minor_units:
            line_type = _line_type(entry, planned.seller_wallet_ids)
            yield EventLine(
                type=line_type,
                amount=entry.amount,
                wallet_id=entry.wallet_id,
                vendor_code=planned.vendor_code if line_type in _OF_A_VENDOR else "",
                tax_code=planned.tax_code if line_type == event_pb2.LINE_TYPE_TAX else "",
                account_code=chart.code_of(line_type, entry.amount.asset_code),
            )


def _line_type(
    entry: ledger_pb2.TransactionEntry, sellers: Collection[str]
) -> "event_pb2.LineType.ValueType":
    """Say what an entry means to finance; UNSPECIFIED, which the sink refuses, if not known."""
    if entry.wallet_id in sellers:
        return event_pb2.LINE_TYPE_MARGIN
    return _LINE_TYPES.get(entry.account_type, event_pb2.LINE_TYPE_UNSPECIFIED)
