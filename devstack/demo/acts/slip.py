"""A back office posts to the ledger by itself, and forgets what its event has to say."""

from privy.erp.v1.event_pb2 import CostRevenueEvent
from privy.wallet.v1 import ledger_pb2, wallet_pb2
from privy.wallet.v1.amount_pb2 import Amount

from devstack.demo.desk import Booked, Desk

AMOUNT = Amount(asset_code="IDR", minor_units=250_000)
_DIGEST = bytes(16)


async def post_slip(desk: Desk, person: str) -> Booked:
    """Have a top-up booked whose event lacks its kind: finance cannot take it."""
    return await desk.post(slip_of(person))


def slip_of(person: str) -> ledger_pb2.Plan:
    event = CostRevenueEvent(
        wallet_id=person,
        request_id="office-1",
        path=[wallet_pb2.PathNode(wallet_id=person, type=wallet_pb2.WALLET_TYPE_PERSONAL)],
    )
    return ledger_pb2.Plan(
        request_id="office-1",
        body_digest=_DIGEST,
        kind=ledger_pb2.TRANSACTION_KIND_TOP_UP,
        wallet_id=person,
        legs=[
            _leg("", ledger_pb2.ACCOUNT_TYPE_FUNDING, AMOUNT.minor_units),
            _leg(person, ledger_pb2.ACCOUNT_TYPE_WALLET, -AMOUNT.minor_units),
        ],
        event=event.SerializeToString(),
    )


def _leg(
    wallet_id: str, account_type: "ledger_pb2.AccountType.ValueType", amount_minor: int
) -> ledger_pb2.Leg:
    return ledger_pb2.Leg(
        wallet_id=wallet_id,
        account_type=account_type,
        asset_code=AMOUNT.asset_code,
        amount_minor=amount_minor,
    )
