"""The front door's messages: requests checked, plans and events built, answers shown."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from privy.erp.v1.event_pb2 import CostRevenueEvent
from privy.transaction.v1 import enterprise_pb2 as pb
from privy.transaction.v1 import transaction_pb2
from privy.wallet.v1 import amount_pb2, ledger_pb2, wallet_pb2

from shared.errors import InvalidArgument
from transaction_service.domain import (
    Action,
    Amount,
    CaptureHold,
    Charge,
    ExtendLot,
    LotTerms,
    Margin,
    Node,
    Plan,
    Profile,
    Spend,
    VoidOf,
)
from transaction_service.wire import answers, charges, requests, wallet
from transaction_service.wire.plans import plan_out

EXPIRY = datetime(2030, 1, 1, tzinfo=UTC)
IDR = amount_pb2.Amount(asset_code="IDR", minor_units=7)


def idr(minor_units: int) -> Amount:
    return Amount(asset_code="IDR", minor_units=minor_units)


# Requests in.


def assignment(**fields: object) -> pb.AssignBalanceRequest:
    parts = {"request_id": "r", "wallet_id": "wal_1", "target_wallet_id": "wal_2", "amount": IDR}
    return pb.AssignBalanceRequest(**parts | fields)  # type: ignore[arg-type]


def add_on(**fields: object) -> pb.AddOnBalanceRequest:
    parts = {"request_id": "r", "wallet_id": "wal_1", "amount": IDR}
    return pb.AddOnBalanceRequest(**parts | fields)  # type: ignore[arg-type]


def extension(**fields: object) -> pb.ExtendBalanceRequest:
    parts = {"request_id": "r", "wallet_id": "wal_1", "lot_id": "lot_1_0", "asset_code": "IDR",
             "expire_time": EXPIRY}  # fmt: skip
    return pb.ExtendBalanceRequest(**parts | fields)  # type: ignore[arg-type]


def test_an_add_on_is_a_top_up_on_terms() -> None:
    """Its lot is an ADD_ON, with the expiry and the priority asked for."""
    action = requests.add_on_of(add_on(expire_time=EXPIRY, priority=5))
    assert action.lot == LotTerms(kind="ADD_ON", priority=5, expires_at=EXPIRY)
    assert (action.wallet_id, dict(action.amount)) == ("wal_1", idr(7)._asdict())


BAD: list[tuple[Callable[[], Action], list[tuple[str, str]]]] = [
    (
        lambda: requests.assignment_of(assignment(wallet_id="", amount=None, wallet_version=-1)),
        [
            ("wallet_id", "is required"),
            ("amount.asset_code", "is required"),
            ("amount.minor_units", "must be at least 1"),
            ("wallet_version", "must be at least 0"),
        ],
    ),
    (
        lambda: requests.assignment_of(assignment(target_wallet_id="")),
        [("target_wallet_id", "is required")],
    ),
    (
        lambda: requests.add_on_of(add_on(priority=1001, reference="x" * 129)),
        [
            ("reference", "must be at most 128 characters"),
            ("priority", "must be at most 1000"),
        ],
    ),
    (
        lambda: requests.extension_of(extension(lot_id="", expire_time=None)),
        [("lot_id", "is required"), ("expire_time", "is required")],
    ),
    (
        lambda: requests.extension_of(extension(expire_time={"seconds": 1 << 60})),
        [("expire_time", "must be a time in the years 1 to 9999")],
    ),
]


@pytest.mark.parametrize(("read", "faults"), BAD)
def test_every_field_at_fault_is_named(
    read: Callable[[], Action], faults: list[tuple[str, str]]
) -> None:
    """As the request calls it, with the reason, all at once."""
    with pytest.raises(InvalidArgument) as refused:
        read()
    assert [(each.field, each.description) for each in refused.value.violations] == faults


# Plans and events out.


ACTION = requests.assignment_of(assignment(reference="order-1"))

TILL = Profile(
    "wal_5",
    "ENTERPRISE",
    3,
    (
        Node("wal_1", "RESELLER", ""),
        Node("wal_2", "RESELLER", ""),
        Node("wal_3", "ENTERPRISE", "ENTERPRISE"),
        Node("wal_4", "ENTERPRISE", "CHANNEL"),
        Node("wal_5", "ENTERPRISE", "CHANNEL"),
    ),
)

CHARGE = Charge(
    product_code="SIGN",
    quantity=2,
    unit_price=None,
    price=idr(1110),
    unit_cost=idr(150),
    cost=idr(300),
    vendor_code="CA",
    tax=idr(110),
    tax_code="VAT",
    revenue=idr(700),
    margins=(Margin("wal_2", 200), Margin("wal_1", 100)),
)

USAGE = Plan(
    "COMMIT",
    TILL,
    (),
    hold=CaptureHold("bkg_9", idr(1110), 2, 1),
    spend=Spend(idr(1110), "SIGN"),
    charges=(CHARGE,),
    used=CHARGE,
    price_book_version="v1",
)


def event_of(plan: Plan) -> CostRevenueEvent:
    return CostRevenueEvent.FromString(plan_out(ACTION, plan).event)


def test_a_plan_says_for_which_wallet_it_was_made() -> None:
    """Its version too: the ledger refuses a plan for a wallet that was changed since."""
    plan = plan_out(ACTION, USAGE)
    assert (plan.wallet_id, plan.wallet_version, plan.request_id) == ("wal_5", 3, "r")


def test_a_commit_takes_what_it_spends_by_quantity() -> None:
    """The hold is captured for as many units as said, after those that were taken."""
    plan = plan_out(ACTION, USAGE)
    assert plan.spend.amount == plan.capture_hold.amount == charges.amount_out(idr(1110))
    assert plan.spend.product_code == "SIGN"
    hold = plan.capture_hold
    assert (hold.booking_id, hold.quantity, hold.captured_quantity_before) == ("bkg_9", 2, 1)


def test_a_void_and_an_extension_say_of_what() -> None:
    """Neither has legs; only the void, which moves money, has an event."""
    void = plan_out(ACTION, Plan("VOID", TILL, (), void_of=VoidOf("txn_1", 70)))
    lot = ExtendLot("lot_1_0", "IDR", EXPIRY)
    extended = plan_out(ACTION, Plan("EXTENSION", TILL, (), extend_lot=lot))
    assert (void.void_of.transaction_id, void.void_of.amount_minor) == ("txn_1", 70)
    assert extended.extend_lot.lot_id == "lot_1_0"
    assert extended.extend_lot.expire_time.ToDatetime(UTC) == EXPIRY
    assert (bool(void.event), bool(extended.event)) == (True, False)


def test_an_event_tells_the_whole_path() -> None:
    """From the topmost wallet down to the one that asks, each with its type and role."""
    event = event_of(USAGE._replace(legs=(), void_of=VoidOf("txn_1", 0)))
    assert [each.wallet_id for each in event.path] == [f"wal_{n}" for n in range(1, 6)]
    assert event.path[3] == wallet_pb2.PathNode(
        wallet_id="wal_4", type=wallet_pb2.WALLET_TYPE_ENTERPRISE, role="CHANNEL"
    )


def test_an_event_says_what_was_used_and_leaves_the_lines_to_the_ledger() -> None:
    """Product, quantity, vendor, tax, sellers, booking, price version, what the caller said."""
    event = event_of(USAGE._replace(void_of=VoidOf("txn_1", 0)))
    assert not event.lines
    assert (event.product_code, event.quantity) == ("SIGN", 2)
    assert (event.vendor_code, event.tax_code, event.price_book_version) == ("CA", "VAT", "v1")
    assert event.seller_wallet_ids == ["wal_2", "wal_1"]
    assert (event.booking_id, event.voids_transaction_id) == ("bkg_9", "txn_1")
    assert (event.request_id, event.reference) == ("r", "order-1")


# Answers in and out.


def test_a_charge_comes_back_as_it_was_sent() -> None:
    """A commit must go by exactly what its booking froze."""
    assert charges.charge_of(charges.charge_out(CHARGE)) == CHARGE


def test_what_was_charged_before_there_was_tax_is_all_revenue() -> None:
    """An old booking can still be committed."""
    old = ledger_pb2.Charge(product_code="SIGN", quantity=1, price=IDR)
    assert charges.charge_of(old).revenue == idr(7)


def test_a_wallet_that_has_no_role_stands_on_its_own_path_without_one() -> None:
    """Only its type's attributes say it, and not every type has one."""
    person = wallet_pb2.Wallet(wallet_id="wal_1", type=wallet_pb2.WALLET_TYPE_PERSONAL, version=1)
    assert wallet.profile_of(person).path == (Node("wal_1", "PERSONAL", ""),)


def booked(kind: str, *wallet_ids: str) -> ledger_pb2.Transaction:
    wallet_type = ledger_pb2.ACCOUNT_TYPE_WALLET
    return ledger_pb2.Transaction(
        kind=ledger_pb2.TransactionKind.Value(f"TRANSACTION_KIND_{kind}"),
        wallet_id="wal_1",
        amount=IDR,
        entries=[
            ledger_pb2.TransactionEntry(wallet_id=each, account_type=wallet_type)
            for each in wallet_ids
        ],
    )


@pytest.mark.parametrize(
    ("kind", "wallet_ids", "target"),
    [
        ("TRANSFER", ("wal_1", "wal_2"), "wal_2"),
        ("ASSIGNMENT", ("wal_1", "wal_2"), "wal_2"),
        ("UNASSIGNMENT", ("wal_1", "wal_2"), "wal_2"),
        ("USAGE", ("wal_3", "wal_1", "wal_2"), ""),
        ("VOID", ("wal_1", "wal_2"), ""),
    ],
)
def test_only_what_is_sent_somewhere_has_a_target(
    kind: str, wallet_ids: tuple[str, ...], target: str
) -> None:
    """Those who pay for a usage, or earn by it, are no targets; their balances are shown."""
    shown = transaction_pb2.Transaction()
    answers.show(shown, booked(kind, *wallet_ids))
    assert shown.target_wallet_id == target
    assert [each.wallet_id for each in shown.balances_after] == list(wallet_ids)
    assert shown.amount == IDR
