"""The finance facts of what the ledger does by itself."""

from privy.erp.v1 import event_pb2
from privy.wallet.v1 import ledger_pb2

from wallet_service import ids
from wallet_service.store.wallets import Wallet
from wallet_service.wire.wallets import whole_path_out


def breakage_event(owner: Wallet, request_id: str) -> bytes:
    """Say that what a lot of a wallet still held is owed no longer, and earned."""
    event = event_pb2.CostRevenueEvent(
        kind=ledger_pb2.TRANSACTION_KIND_BREAKAGE,
        wallet_id=ids.wallet_text(owner.wallet_id),
        request_id=request_id,
        path=whole_path_out(owner),
    )
    return event.SerializeToString()
