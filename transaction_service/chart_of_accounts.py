"""The ERP's chart of accounts: to which of its accounts each line belongs."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from privy.erp.v1.event_pb2 import LineType
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FilePath, ValidationError
from pydantic_settings import BaseSettings

_TYPES = {name.removeprefix("LINE_TYPE_"): number for name, number in LineType.items() if number}


def _known(codes: Mapping[str, str]) -> Mapping[str, str]:
    if unknown := sorted(set(codes) - set(_TYPES)):
        raise ValueError(f"no such types of line: {', '.join(unknown)}")
    return codes


def _complete(codes: Mapping[str, str]) -> Mapping[str, str]:
    if missing := sorted(set(_TYPES) - set(codes)):
        raise ValueError(f"these types of line have no account: {', '.join(missing)}")
    return codes


AccountCode = Annotated[str, Field(min_length=1, max_length=64)]
Codes = Annotated[Mapping[str, AccountCode], AfterValidator(_known)]


class ChartSettings(BaseSettings):
    """Environment that names the chart: the publisher and the sink must be given the same."""

    chart_of_accounts_file: FilePath = Path(__file__).with_suffix(".toml")


class ChartOfAccounts(BaseModel):
    """Account codes by type of line; those of an asset come first, where it has its own.

    `retired` are those that no line gets any more, and events under way may still have.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accounts: Annotated[Codes, AfterValidator(_complete)]
    assets: Mapping[str, Codes] = Field(default_factory=dict)
    retired: frozenset[AccountCode] = frozenset()

    def code_of(self, line_type: "LineType.ValueType", asset_code: str) -> str:
        """Answer a line's account code; empty for a type that is not known."""
        name = LineType.Name(line_type).removeprefix("LINE_TYPE_")
        return self.assets.get(asset_code, {}).get(name) or self.accounts.get(name, "")

    def codes(self) -> frozenset[str]:
        """Answer every account code that a line may have."""
        given = (self.accounts, *self.assets.values())
        return self.retired.union(*(codes.values() for codes in given))


def load_chart(path: Path) -> ChartOfAccounts:
    """Read a chart of accounts, or end the process naming every fault in it."""
    try:
        return ChartOfAccounts.model_validate(tomllib.loads(path.read_text()))
    except ValidationError as error:
        faults = [
            f"chart of accounts {path}: {'.'.join(map(str, each['loc']))}: {each['msg']}"
            for each in error.errors()
        ]
        raise SystemExit("\n".join(faults)) from None
    except tomllib.TOMLDecodeError as error:
        raise SystemExit(f"chart of accounts {path}: {error}") from None
