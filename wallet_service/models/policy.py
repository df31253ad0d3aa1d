"""A wallet's spending policy, whatever its type; as stored, and checked when it is written."""

import zoneinfo
from functools import cache
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from wallet_service.decide.plan import MAX_AMOUNT_MINOR
from wallet_service.decide.policy import Period

MAX_LIMITS = 32
MAX_CODE = 64

FundingSource = Literal["OWN", "NEAREST_ANCESTOR", "OWN_THEN_ANCESTORS"]


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _known_zone(name: str) -> str:
    if name not in _time_zones():
        raise PydanticCustomError("time_zone", "must be the IANA name of a time zone")
    return name


class SpendingLimit(BaseModel):
    """The most that may be spent in a stretch of time; an empty product stands for every one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asset_code: Annotated[str, Field(min_length=1, max_length=MAX_CODE)]
    limit_minor: Annotated[int, Field(ge=0, le=MAX_AMOUNT_MINOR)]
    period: Period
    product_code: Annotated[str, Field(max_length=MAX_CODE, pattern=r"^[!-~]*$")] = ""


def _told_apart(limits: tuple[SpendingLimit, ...]) -> tuple[SpendingLimit, ...]:
    stretches = {(each.asset_code, each.period, each.product_code) for each in limits}
    if len(stretches) < len(limits):
        raise PydanticCustomError("same_limits", "must not hold two limits for the same spending")
    return limits


class SpendingPolicy(BaseModel):
    """Who pays for a wallet's usage, and how far it may go; its days begin in the time zone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    funding_source: FundingSource = "OWN"
    limits: Annotated[
        tuple[SpendingLimit, ...], Field(max_length=MAX_LIMITS), AfterValidator(_told_apart)
    ] = ()
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
