"""Plans as they come over the wire: what is malformed is named by its path."""

import json
from collections.abc import Callable

import pytest
from google.protobuf.json_format import ParseDict
from privy.wallet.v1 import amount_pb2, ledger_pb2

from shared.errors import InvalidArgument
from wallet_service.wire import plans

WALLET, FUNDING = ledger_pb2.ACCOUNT_TYPE_WALLET, ledger_pb2.ACCOUNT_TYPE_FUNDING


def leg(account_type: "ledger_pb2.AccountType.ValueType", minor: int, owner: str) -> ledger_pb2.Leg:
    return ledger_pb2.Leg(
        wallet_id=owner, account_type=account_type, asset_code="IDR", amount_minor=minor
    )


def top_up() -> ledger_pb2.Plan:
    return ledger_pb2.Plan(
        request_id="r",
        body_digest=bytes(16),
        kind=ledger_pb2.TRANSACTION_KIND_TOP_UP,
        wallet_id="wal_1001",
        legs=[leg(FUNDING, 5, ""), leg(WALLET, -5, "wal_1001")],
    )


def rupiah(minor: int) -> amount_pb2.Amount:
    return amount_pb2.Amount(asset_code="IDR", minor_units=minor)


Change = Callable[[ledger_pb2.Plan], object]

MALFORMED: list[tuple[str, Change]] = [
    ("request_id", lambda plan: plan.ClearField("request_id")),
    ("body_digest", lambda plan: plan.ClearField("body_digest")),
    ("kind", lambda plan: plan.ClearField("kind")),
    ("wallet_id", lambda plan: setattr(plan, "wallet_id", "wal_1002")),
    ("legs", lambda plan: plan.ClearField("legs")),
    ("legs", lambda plan: setattr(plan.legs[0], "amount_minor", 6)),
    ("legs", lambda plan: plan.legs.extend([leg(WALLET, 5, "w"), leg(WALLET, -5, "w")])),
    ("legs", lambda plan: plan.legs.extend(33 * [leg(FUNDING, 1, "")])),
    ("legs[0].amount_minor", lambda plan: setattr(plan.legs[0], "amount_minor", 0)),
    ("legs[0].amount_minor", lambda plan: setattr(plan.legs[0], "amount_minor", 2**62)),
    ("legs[0].wallet_id", lambda plan: setattr(plan.legs[0], "wallet_id", "wal_1001")),
    ("legs[1].wallet_id", lambda plan: setattr(plan.legs[1], "wallet_id", "")),
    ("legs[0].account_type", lambda plan: plan.legs[0].ClearField("account_type")),
    ("open_hold.amount.minor_units",
     lambda plan: plan.open_hold.amount.CopyFrom(rupiah(0))),
    ("capture_hold.amount",
     lambda plan: plan.capture_hold.amount.CopyFrom(rupiah(4))),
    ("void_of", lambda plan: plan.void_of.SetInParent()),
    ("legs", lambda plan: setattr(plan, "kind", ledger_pb2.TRANSACTION_KIND_VOID)),
    ("extend_lot", lambda plan: plan.extend_lot.SetInParent()),
    ("spend.amount.minor_units", lambda plan: plan.spend.SetInParent()),
    ("legs", lambda plan: plan.spend.amount.CopyFrom(rupiah(5))),
    ("wallet_version", lambda plan: setattr(plan, "wallet_version", -1)),
    ("metadata.note", lambda plan: plan.metadata.update({"note": "a\0b"})),
    ("reference", lambda plan: setattr(plan, "reference", "\0")),
    ("effective_time", lambda plan: setattr(plan.effective_time, "seconds", 1 << 60)),
]  # fmt: skip


def usage() -> ledger_pb2.Plan:
    """A plan that spends: who pays is not among its legs."""
    plan = top_up()
    plan.kind = ledger_pb2.TRANSACTION_KIND_USAGE
    del plan.legs[:]
    plan.legs.append(leg(ledger_pb2.ACCOUNT_TYPE_REVENUE, -5, ""))
    plan.spend.amount.CopyFrom(rupiah(5))
    return plan


MALFORMED_SPENDING: list[tuple[str, Change]] = [
    ("legs", lambda plan: setattr(plan.spend.amount, "minor_units", 6)),
    ("legs", lambda plan: plan.legs.extend([leg(FUNDING, -1, ""), leg(WALLET, 1, "w")])),
    ("legs", lambda plan: plan.open_hold.amount.CopyFrom(rupiah(5))),
    ("spend.amount.minor_units", lambda plan: plan.spend.ClearField("amount")),
    ("spend.product_code", lambda plan: setattr(plan.spend, "product_code", "\0")),
    ("capture_hold.amount", lambda plan: plan.capture_hold.amount.CopyFrom(rupiah(4))),
]  # fmt: skip


@pytest.mark.parametrize(("field", "spoil"), MALFORMED_SPENDING)
def test_what_is_malformed_about_spending_is_named(field: str, spoil: Change) -> None:
    """What is spent, the legs and the hold must fit together."""
    plan = usage()
    assert plans.plan_of(plan).spend == ("IDR", 5, "")
    spoil(plan)
    with pytest.raises(InvalidArgument) as refused:
        plans.plan_of(plan)
    assert [each.field for each in refused.value.violations] == [field]


def test_usages_that_are_alike_are_read_each_with_its_own() -> None:
    """What one says of itself is no other's; terms that differ by a leg are not taken for alike."""
    one, other, dearer = usage(), usage(), usage()
    other.request_id, other.wallet_id, other.reference = "another", "wal_1002", "r"
    other.metadata["note"] = "n"
    dearer.legs[0].amount_minor, dearer.spend.amount.minor_units = -6, 6
    first, second, third = (plans.plan_of(each) for each in (one, other, dearer))
    assert (first.request_id, first.wallet_id, first.reference) == ("r", 1001, "")
    assert (second.request_id, second.wallet_id, second.reference) == ("another", 1002, "r")
    assert (first.metadata_json, second.metadata_json) == ("{}", '{"note":"n"}')
    assert first.legs == second.legs
    assert [each.spend and each.spend.amount_minor for each in (first, third)] == [5, 6]


def test_a_fault_is_named_by_its_plans_place_and_costs_the_others_nothing() -> None:
    """Also where terms were read before, for a plan in another place."""
    spoilt = usage()
    spoilt.legs[0].amount_minor = 0
    request = ledger_pb2.PostBatchRequest(plans=[usage(), spoilt, spoilt])
    sound, *refused = plans.groups_of(request)
    assert [each.wallet_id for each in sound.plans] == [1001]
    assert [each.refusals[0].field for each in refused] == [
        f"plans[{i}].legs[0].amount_minor" for i in (1, 2)
    ]


def test_a_sound_plan_is_read() -> None:
    """The plan that the others are spoilt from is right."""
    assert plans.plan_of(top_up()).wallet_id == 1001


@pytest.mark.parametrize(("field", "spoil"), MALFORMED)
def test_what_is_malformed_is_named_by_its_path(field: str, spoil: Change) -> None:
    """Each fault is INVALID_ARGUMENT on the field that a caller can find in the request."""
    plan = top_up()
    spoil(plan)
    with pytest.raises(InvalidArgument) as refused:
        plans.plan_of(plan)
    assert [each.field for each in refused.value.violations] == [field]


def test_a_charge_is_kept_as_it_was_frozen() -> None:
    """Tax, revenue and margins too: a commit and a void go by them. What was unset stays unset."""
    plain = ledger_pb2.Charge(product_code="SIGN", quantity=1, price=rupiah(5), revenue=rupiah(0))
    resold = ledger_pb2.Charge(
        product_code="SIGN", quantity=2, unit_price=rupiah(5), price=rupiah(11),
        unit_cost=rupiah(1), cost=rupiah(2), vendor_code="CA", tax=rupiah(1), tax_code="VAT",
        revenue=rupiah(7), margins=[ledger_pb2.Margin(wallet_id="wal_1", minor_units=3)],
    )  # fmt: skip
    plan = usage()
    plan.charges.extend([plain, resold])
    kept = json.loads(plans.plan_of(plan).charges_json)
    assert [ParseDict(each, ledger_pb2.Charge()) for each in kept] == [plain, resold]
