"""Which time of a transaction a question about the past goes by."""

from enum import StrEnum
from typing import Annotated

import typer
from privy.wallet.v1 import wallet_pb2


class Basis(StrEnum):
    RECORD = "record"
    EFFECTIVE = "effective"

    @property
    def proto(self) -> "wallet_pb2.TimeBasis.ValueType":
        return wallet_pb2.TimeBasis.Value(f"TIME_BASIS_{self.upper()}")


By = Annotated[Basis, typer.Option("--by", help="Go by when it was written, or when it counts.")]
