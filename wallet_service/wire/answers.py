"""Values of the domain as answers."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from google.protobuf.json_format import ParseDict
from google.protobuf.timestamp_pb2 import Timestamp
from privy.wallet.v1 import amount_pb2, event_log_pb2, feed_pb2, ledger_pb2, lot_pb2, wallet_pb2

from shared.enums import enum_numbers
from wallet_service import ids
from wallet_service.decide.model import Entry, LotEntry, Transaction
from wallet_service.decide.plan import HOUSE
from wallet_service.errors import Refusal
from wallet_service.feed import FeedStatus
from wallet_service.store.balances import Balance, TrialBalanceLine
from wallet_service.store.entries import WalletEntry, WalletLot
from wallet_service.store.events import RecordedEvent
from wallet_service.store.feed import FeedEvent, MovedEntry
from wallet_service.store.periods import Period

_KINDS = enum_numbers(ledger_pb2.TransactionKind, "TRANSACTION_KIND_")
_STATES = enum_numbers(ledger_pb2.TransactionState, "TRANSACTION_STATE_")
_ACCOUNT_TYPES = enum_numbers(ledger_pb2.AccountType, "ACCOUNT_TYPE_")
_LOT_KINDS = enum_numbers(lot_pb2.LotKind, "LOT_KIND_")


def posted_out(
    posted: Iterable[Transaction | Refusal], view: "ledger_pb2.TransactionView.ValueType"
) -> ledger_pb2.PostBatchResponse:
    """Answer a batch, each verdict written where it is sent from: a copy costs as much again."""
    only_wallets = view == ledger_pb2.TRANSACTION_VIEW_WALLETS
    response = ledger_pb2.PostBatchResponse()
    for each in posted:
        result = response.results.add()
        if isinstance(each, Refusal):
            result.refusal.CopyFrom(_refusal_out(each))
        else:
            show(result.transaction, each, only_wallets=only_wallets)
    return response


def _refusal_out(refusal: Refusal) -> ledger_pb2.Refusal:
    return ledger_pb2.Refusal(
        code=refusal.code,
        reason=refusal.reason,
        message=refusal.message,
        metadata=refusal.metadata,
        field=refusal.field,
    )


def show(
    shown: ledger_pb2.Transaction, transaction: Transaction, *, only_wallets: bool = False
) -> None:
    """Show a transaction as booked; of its entries, if asked so, those of wallets alone."""
    if transaction.transaction_id:
        shown.transaction_id = ids.transaction_text(transaction.transaction_id)
    shown.kind = _KINDS[transaction.kind]
    shown.state = _STATES[transaction.state]
    shown.wallet_id = ids.wallet_text(transaction.wallet_id)
    shown.request_id = transaction.request_id
    shown.reference = transaction.reference
    shown.price_book_version = transaction.price_book_version
    shown.charges.extend(_charges_out(transaction.charges_json))
    shown.create_time.CopyFrom(timestamp(transaction.recorded_at))
    shown.effective_time.CopyFrom(timestamp(transaction.effective_at))
    shown.voided_minor = transaction.voided_minor
    shown.amount.asset_code, shown.amount.minor_units = transaction.amount
    for entry in transaction.entries:
        if not (only_wallets and entry.key.wallet_id == HOUSE):
            _show_entry(shown.entries.add(), entry)
    if transaction.metadata_json != "{}":
        shown.metadata.update(json.loads(transaction.metadata_json))
    if transaction.booking_id:
        shown.booking_id = ids.booking_text(transaction.booking_id)
    if transaction.kind == "BOOKING":
        _show_booking(shown, transaction)
    if transaction.voids_transaction_id:
        shown.voids_transaction_id = ids.transaction_text(transaction.voids_transaction_id)
    if transaction.exchange_rate_json:
        ParseDict(json.loads(transaction.exchange_rate_json), shown.exchange_rate)


def _show_booking(shown: ledger_pb2.Transaction, booking: Transaction) -> None:
    shown.held_remaining.asset_code = booking.entries[0].key.asset_code
    shown.held_remaining.minor_units = booking.held_remaining_minor
    shown.captured_quantity = booking.captured_quantity
    if booking.expires_at:
        shown.expire_time.CopyFrom(timestamp(booking.expires_at))


def _metadata_out(metadata_json: str) -> dict[str, str] | None:
    return json.loads(metadata_json) if metadata_json != "{}" else None


@lru_cache(maxsize=1024)
def _charges_out(charges_json: str) -> tuple[ledger_pb2.Charge, ...]:
    """Read charges; most are like others, and to read them costs more than to decide a plan."""
    return tuple(ParseDict(each, ledger_pb2.Charge()) for each in json.loads(charges_json))


def _amount_out(asset_code: str, minor_units: int) -> amount_pb2.Amount:
    return amount_pb2.Amount(asset_code=asset_code, minor_units=minor_units)


def _show_entry(shown: ledger_pb2.TransactionEntry, entry: Entry) -> None:
    wallet_id, account_type, asset_code = entry.key
    shown.account_type = _ACCOUNT_TYPES[account_type]
    shown.amount.asset_code, shown.amount.minor_units = asset_code, entry.amount_minor
    shown.held_change_minor = entry.held_change_minor
    if wallet_id != HOUSE:
        shown.wallet_id = ids.wallet_text(wallet_id)
        _show_balance(
            shown.balance_after,
            Balance(
                asset_code,
                -entry.balance_after_minor,
                entry.held_after_minor,
                entry.credit_limit_minor,
            ),
        )
    if entry.lot_entries:
        shown.lot_entries.extend(_lot_entries_out(entry.lot_entries))


def _show_balance(shown: wallet_pb2.Balance, balance: Balance) -> None:
    shown.asset_code = balance.asset_code
    shown.posted_minor = balance.posted_minor
    shown.held_minor = balance.held_minor
    shown.available_minor = balance.available_minor
    shown.credit_limit_minor = balance.credit_limit_minor


def balance_out(balance: Balance) -> wallet_pb2.Balance:
    shown = wallet_pb2.Balance()
    _show_balance(shown, balance)
    return shown


def _lot_entries_out(lot_entries: Iterable[LotEntry]) -> list[lot_pb2.LotEntry]:
    return [
        lot_pb2.LotEntry(
            lot_id=ids.lot_text(*each.lot_id),
            amount_minor=each.amount_minor,
            held_change_minor=each.held_change_minor,
        )
        for each in lot_entries
    ]


def lot_out(owned: WalletLot) -> lot_pb2.Lot:
    asset_code, lot = owned
    terms = lot_pb2.LotTerms(
        kind=_LOT_KINDS[lot.terms.kind],
        priority=lot.terms.priority,
        expire_time=timestamp(lot.terms.expires_at) if lot.terms.expires_at else None,
    )
    return lot_pb2.Lot(
        lot_id=ids.lot_text(*lot.lot_id),
        asset_code=asset_code,
        terms=terms,
        amount_minor=lot.amount_minor,
        remaining_minor=lot.remaining_minor,
        held_minor=lot.held_minor,
        create_time=timestamp(ids.recorded_at(lot.lot_id.transaction_id)),
    )


def period_out(period: Period) -> ledger_pb2.AccountingPeriod:
    return ledger_pb2.AccountingPeriod(
        start_time=timestamp(period.starts_at) if period.starts_at else None,
        end_time=timestamp(period.ends_at),
        close_time=timestamp(period.closed_at),
    )


def wallet_entry_out(entry: WalletEntry) -> wallet_pb2.Entry:
    return wallet_pb2.Entry(
        transaction_id=ids.transaction_text(entry.transaction_id),
        leg_index=entry.leg_index,
        asset_code=entry.asset_code,
        amount_minor=entry.amount_minor,
        held_change_minor=entry.held_change_minor,
        posted_after_minor=entry.posted_after_minor,
        held_after_minor=entry.held_after_minor,
        reference=entry.reference,
        create_time=timestamp(entry.recorded_at),
        effective_time=timestamp(entry.effective_at),
        kind=entry.kind,
        metadata=_metadata_out(entry.metadata_json),
        lot_entries=_lot_entries_out(entry.lot_entries),
    )


def trial_balance_line_out(line: TrialBalanceLine) -> ledger_pb2.TrialBalanceLine:
    return ledger_pb2.TrialBalanceLine(
        account_type=_ACCOUNT_TYPES[line.account_type],
        asset_code=line.asset_code,
        amount_minor=line.amount_minor,
    )


def feed_event_out(event: FeedEvent) -> feed_pb2.FeedEvent:
    return feed_pb2.FeedEvent(
        transaction_id=ids.transaction_text(event.transaction_id),
        wallet_id=ids.wallet_text(event.wallet_id),
        payload=event.payload,
        traceparent=event.traceparent,
        create_time=timestamp(event.recorded_at),
        effective_time=timestamp(event.effective_at),
        entries=[_moved_out(each) for each in event.entries],
    )


def recorded_event_out(recorded: RecordedEvent) -> event_log_pb2.RecordedEvent:
    return event_log_pb2.RecordedEvent(
        event=feed_event_out(recorded.event),
        in_feed=recorded.in_feed,
        kind=ledger_pb2.TransactionKind.Value(f"TRANSACTION_KIND_{recorded.kind}"),
    )


def _moved_out(entry: MovedEntry) -> ledger_pb2.TransactionEntry:
    wallet_id, account_type, asset_code = entry.key
    return ledger_pb2.TransactionEntry(
        wallet_id=ids.wallet_text(wallet_id) if wallet_id != HOUSE else "",
        account_type=_ACCOUNT_TYPES[account_type],
        amount=_amount_out(asset_code, entry.amount_minor),
    )


def feed_status_out(status: FeedStatus) -> feed_pb2.GetFeedStatusResponse:
    return feed_pb2.GetFeedStatusResponse(
        backlog=status.backlog.count,
        oldest_create_time=timestamp_or_none(status.backlog.oldest_recorded_at),
        consumers=[
            feed_pb2.FeedConsumer(consumer_id=consumer_id, shard_count=count)
            for consumer_id, count in status.shards.items()
        ],
        published_after=status.published_after,
    )


def timestamp_or_none(moment: datetime | None) -> Timestamp | None:
    return timestamp(moment) if moment else None


@lru_cache(maxsize=1024)
def timestamp(moment: datetime) -> Timestamp:
    """Make a timestamp, to be copied into a message: those of one batch are one."""
    out = Timestamp()
    out.FromDatetime(moment)
    return out
