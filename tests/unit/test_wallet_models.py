"""The wallet types' models: what they take, what they refuse, how they read older versions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.families import FAMILY_MODELS, Family
from wallet_service.models.checking import faults_of, fixed_faults, missing_faults, with_fixed
from wallet_service.models.enterprise import Enterprise
from wallet_service.models.personal import Personal
from wallet_service.models.policy import MAX_LIMITS, SpendingPolicy
from wallet_service.models.registry import MODELS

Values = Mapping[str, Any]

GOOD: list[tuple[str, Values, Values]] = [
    ("PERSONAL", {}, {"version": 1, "level": None}),
    ("PERSONAL", {"level": "L1"}, {"version": 1, "level": "L1"}),
    ("PERSONAL", {"version": 1.0, "level": "L2"}, {"version": 1, "level": "L2"}),
    ("ENTERPRISE", {}, {"version": 1, "role": "ENTERPRISE"}),
    ("ENTERPRISE", {"role": "CHANNEL"}, {"version": 1, "role": "CHANNEL"}),
    ("RESELLER", {}, {"version": 1}),
]

BAD: list[tuple[str, Values, list[str]]] = [
    ("PERSONAL", {"level": "L3"}, ["at.level"]),
    ("PERSONAL", {"level": "L3", "age": 3}, ["at.level", "at.age"]),
    ("PERSONAL", {"version": 2}, ["at.version"]),
    ("ENTERPRISE", {"role": None}, ["at.role"]),
    ("ENTERPRISE", {"role": {"is": ["CHANNEL"]}}, ["at.role"]),
    ("RESELLER", {"role": "CHANNEL"}, ["at.role"]),
    ("RESELLER", {"x" * 1000: 1}, ["at." + "x" * 64]),
]


@pytest.mark.parametrize(("wallet_type", "values", "stored"), GOOD)
def test_good_attributes_are_completed(wallet_type: str, values: Values, stored: Values) -> None:
    """What is left out has its default, and the version is the model's own."""
    assert MODELS[wallet_type].model_validate(values).model_dump() == stored


@pytest.mark.parametrize(("wallet_type", "values", "fields"), BAD)
def test_bad_attributes_are_named(wallet_type: str, values: Values, fields: list[str]) -> None:
    """Every fault is told at once, each by its path, which is never longer than needed."""
    assert [each.field for each in faults_of(MODELS[wallet_type], values, "at")] == fields


def limit(**changes: object) -> dict[str, object]:
    return {"asset_code": "IDR", "limit_minor": 5, "period": "DAY", "product_code": ""} | changes


POLICIES: list[tuple[Values, list[str]]] = [
    ({}, []),
    ({"funding_source": "OWN_THEN_ANCESTORS", "time_zone": "Asia/Jakarta"}, []),
    ({"limits": [limit(), limit(period="WEEK"), limit(product_code="STAMP")]}, []),
    ({"limits": [limit(limit_minor=0), limit(period="MONTH", limit_minor=10**17)]}, []),
    ({"funding_source": "SOMEBODY"}, ["at.funding_source"]),
    ({"time_zone": "Mars/Olympus"}, ["at.time_zone"]),
    ({"time_zone": "../etc/passwd"}, ["at.time_zone"]),
    ({"limits": [limit(), limit(asset_code="")]}, ["at.limits[1].asset_code"]),
    ({"limits": [limit(limit_minor=-1)]}, ["at.limits[0].limit_minor"]),
    ({"limits": [limit(limit_minor=10**17 + 1)]}, ["at.limits[0].limit_minor"]),
    ({"limits": [limit(period=None)]}, ["at.limits[0].period"]),
    ({"limits": [limit(product_code="a\0b")]}, ["at.limits[0].product_code"]),
    ({"limits": [limit(), limit(limit_minor=6)]}, ["at.limits"]),
    ({"limits": [limit(product_code=f"P{n}") for n in range(MAX_LIMITS + 1)]}, ["at.limits"]),
    ({"limits": [limit(period="YEAR")], "time_zone": "x"}, ["at.limits[0].period", "at.time_zone"]),
]


@pytest.mark.parametrize(("policy", "fields"), POLICIES)
def test_policies_are_checked_field_by_field(policy: Values, fields: list[str]) -> None:
    """A policy's faults are told at once, each by its path."""
    assert [each.field for each in faults_of(SpendingPolicy, policy, "at")] == fields


def test_a_role_must_be_said_below_an_enterprise_only() -> None:
    """At the top of an enterprise, and below a reseller, it is ENTERPRISE unless said otherwise."""
    unsaid, said = Enterprise(), Enterprise(role="ENTERPRISE")
    assert [each.field for each in missing_faults(unsaid, said, "at")] == ["at.role"]
    assert missing_faults(said, said, "at") == []
    assert missing_faults(unsaid, None, "at") == []
    assert missing_faults(Personal(), None, "at") == []


def test_a_role_never_changes() -> None:
    """New attributes that leave the role out keep it; another one is a fault."""
    merchant = Enterprise(role="MERCHANT")
    assert with_fixed(merchant, {}) == {"role": "MERCHANT"}
    assert fixed_faults(merchant, {"role": "MERCHANT"}, "at") == []
    assert [each.field for each in fixed_faults(merchant, {"role": "CHANNEL"}, "at")] == ["at.role"]


def test_attributes_of_an_older_version_are_read_as_the_present_one() -> None:
    """What a former version of a model wrote is upgraded, and checked, when it is read."""
    older = {"version": 1, "is_child": True}
    assert FAMILY_MODELS["FAMILY"].model_validate(older) == Family(member="CHILD")
    assert faults_of(Family, {"version": 1, "is_child": True, "age": 3}, "at")
    assert faults_of(Family, {"version": 3, "member": "CHILD"}, "at")


def test_the_page_shows_the_worked_type_as_it_is() -> None:
    """docs/wallet-models.md has the code of tests/families.py, word for word."""
    code = Path("tests/families.py").read_text().partition("POCKET_MONEY")
    assert "".join(code[1:]) in Path("docs/wallet-models.md").read_text()
