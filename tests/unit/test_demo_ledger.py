"""The documents that the demo expects of the ledger's transactions."""

from privy.wallet.v1 import ledger_pb2 as pb
from privy.wallet.v1.amount_pb2 import Amount

from devstack.demo.documents import Document, Line
from devstack.demo.ledger import documents_due

HOUSE = ""


def entry(
    wallet_id: str, account_type: "pb.AccountType.ValueType", minor: int, held_minor: int = 0
) -> pb.TransactionEntry:
    return pb.TransactionEntry(
        wallet_id=wallet_id,
        account_type=account_type,
        amount=Amount(asset_code="IDR", minor_units=minor),
        held_change_minor=held_minor,
    )


SALE = pb.Transaction(
    transaction_id="txn_9",
    kind=pb.TRANSACTION_KIND_USAGE,
    wallet_id="wal_1",
    charges=[pb.Charge(product_code="SIGN", quantity=2, margins=[pb.Margin(wallet_id="wal_7")])],
    entries=[
        entry("wal_1", pb.ACCOUNT_TYPE_WALLET, 222),
        entry(HOUSE, pb.ACCOUNT_TYPE_REVENUE, -170),
        entry("wal_7", pb.ACCOUNT_TYPE_WALLET, -30),
        entry(HOUSE, pb.ACCOUNT_TYPE_TAX_PAYABLE, -22),
    ],
)
REFUND = pb.Transaction(
    transaction_id="txn_10",
    kind=pb.TRANSACTION_KIND_VOID,
    wallet_id="wal_1",
    voids_transaction_id="txn_9",
    entries=[
        entry("wal_1", pb.ACCOUNT_TYPE_WALLET, -30),
        entry("wal_7", pb.ACCOUNT_TYPE_WALLET, 30),
    ],
)
BOOKING = pb.Transaction(
    transaction_id="txn_8",
    kind=pb.TRANSACTION_KIND_BOOKING,
    wallet_id="wal_1",
    entries=[entry("wal_1", pb.ACCOUNT_TYPE_WALLET, 0, 50)],
)


def test_documents_are_due_for_what_moved_in_order() -> None:
    """A seller's leg is its margin, a refund goes by what it takes back; a booking is none."""
    assert documents_due([REFUND, BOOKING, SALE], {"wal_1": "wal_4"}) == [
        Document(
            "txn_9",
            "USAGE",
            "wal_1",
            "SIGN",
            2,
            (
                Line("DEFERRED_REVENUE", "IDR", 222),
                Line("REVENUE", "IDR", -170),
                Line("MARGIN", "IDR", -30),
                Line("TAX", "IDR", -22),
            ),
            "wal_4",
        ),
        Document(
            "txn_10",
            "VOID",
            "wal_1",
            "SIGN",
            2,
            (Line("DEFERRED_REVENUE", "IDR", -30), Line("MARGIN", "IDR", 30)),
            "wal_4",
        ),
    ]
