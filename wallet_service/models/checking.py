"""What a caller writes, checked by its model: every fault at once, each with its path."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from shared.errors import FieldViolation, InvalidArgument
from wallet_service.models.model import Values, WalletModel

MAX_FAULTS = 64
MAX_NAME = 64
"""A caller's own names are told back, cut to this length."""

_WORDS = {"missing": "is required", "extra_forbidden": "is not known"}


def faults_of(model: type[BaseModel], values: Values, path: str) -> list[FieldViolation]:
    """Say what a model objects to, as faults of the request's field at `path`."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        return [_fault(each, path) for each in error.errors(include_url=False)]
    return []


def refuse(faults: Sequence[FieldViolation], reason: str = "FIELD_INVALID") -> None:
    """Raise `InvalidArgument` if there are faults."""
    if faults:
        raise InvalidArgument(reason, *faults[:MAX_FAULTS])


def missing_faults(
    model: WalletModel, parent: WalletModel | None, path: str
) -> list[FieldViolation]:
    """Say which attributes were left out that a wallet needs under that parent."""
    return [
        FieldViolation(f"{path}.{name}", "is required below that parent")
        for name in model.required_under(parent)
        if name not in model.model_fields_set
    ]


def with_fixed(model: WalletModel, values: Values) -> Values:
    """Complete new attributes by what never changes, where they leave it out."""
    present = model.model_dump()
    return {name: present[name] for name in model.fixed()} | dict(values)


def fixed_faults(model: WalletModel, values: Values, path: str) -> list[FieldViolation]:
    """Say which of new attributes never change, and would."""
    present = model.model_dump()
    return [
        FieldViolation(f"{path}.{name}", f"stays what it was at creation: {present[name]}")
        for name in model.fixed()
        if values.get(name, present[name]) != present[name]
    ]


def _fault(error: Any, path: str) -> FieldViolation:
    for step in error["loc"]:
        path += f"[{step}]" if isinstance(step, int) else f".{step[:MAX_NAME]}"
    return FieldViolation(path, _words_of(error))


def _words_of(error: Any) -> str:
    if error["type"] == "literal_error":
        return f"must be {error['ctx']['expected']}"
    told: str = error["msg"]
    return _WORDS.get(error["type"], told.replace("Input should", "should"))
