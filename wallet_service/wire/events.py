"""The finance facts of what the ledger does by itself."""

from privy.erp.v1 import event_pb2
from privy.wallet.v1 import amount_pb2, ledger_pb2

from wallet_service import ids
from wallet_service.store.expiry import DueLot


def breakage_event(lot: DueLot, request_id: str) -> bytes:
    """Say that what a lot still held is owed no longer, and earned."""
    wallet_id = ids.wallet_text(lot.wallet_id)
    event = event_pb2.CostRevenueEvent(
        kind=ledger_pb2.TRANSACTION_KIND_BREAKAGE,
        wallet_id=wallet_id,
        lines=[
            event_pb2.EventLine(
                type=event_pb2.LINE_TYPE_DEFERRED_REVENUE,
                amount=_amount(lot.asset_code, lot.free_minor),
                wallet_id=wallet_id,
            ),
            event_pb2.EventLine(
                type=event_pb2.LINE_TYPE_BREAKAGE,
                amount=_amount(lot.asset_code, -lot.free_minor),
            ),
        ],
        request_id=request_id,
    )
    return event.SerializeToString()


def _amount(asset_code: str, minor_units: int) -> amount_pb2.Amount:
    return amount_pb2.Amount(asset_code=asset_code, minor_units=minor_units)
