"""What the Wallet answers, as far as plans are made of it."""

from privy.wallet.v1 import amount_pb2, ledger_pb2, wallet_pb2

from transaction_service.domain import Booking, Node, Original, Profile
from transaction_service.wire.charges import charge_of
from transaction_service.wire.names import wallet_type_of


def profile_of(wallet: wallet_pb2.Wallet) -> Profile:
    """Read what a wallet is. Its own role is an attribute of its type."""
    role = dict(wallet.attributes).get("role", "")
    own = wallet_pb2.PathNode(wallet_id=wallet.wallet_id, type=wallet.type, role=str(role))
    return Profile(
        wallet_id=wallet.wallet_id,
        wallet_type=wallet_type_of(wallet.type),
        version=wallet.version,
        path=tuple(
            Node(each.wallet_id, wallet_type_of(each.type), each.role)
            for each in (*wallet.path, own)
        ),
    )


def booking_of(opened: ledger_pb2.Transaction) -> Booking:
    """Read what a booking froze, and what was taken of it, from the transaction that opened it."""
    (charge,) = opened.charges
    return Booking(
        booking_id=opened.booking_id,
        wallet_id=opened.wallet_id,
        charge=charge_of(charge),
        price_book_version=opened.price_book_version,
        captured_quantity=opened.captured_quantity,
        held_remaining_minor=opened.held_remaining.minor_units,
    )


def original_of(booked: ledger_pb2.Transaction) -> Original:
    """Read what there is to take back of a transaction."""
    return Original(
        transaction_id=booked.transaction_id,
        wallet_id=booked.wallet_id,
        asset_code=moved(booked).asset_code,
        charge=charge_of(booked.charges[0]) if booked.charges else None,
        price_book_version=booked.price_book_version,
    )


def moved(booked: ledger_pb2.Transaction) -> amount_pb2.Amount:
    """Say how much was added, spent, set aside, set free or moved."""
    if booked.HasField("amount"):
        return booked.amount
    for entry in booked.entries:
        if entry.wallet_id == booked.wallet_id:
            return amount_pb2.Amount(
                asset_code=entry.amount.asset_code,
                minor_units=abs(entry.amount.minor_units or entry.held_change_minor),
            )
    return amount_pb2.Amount()
