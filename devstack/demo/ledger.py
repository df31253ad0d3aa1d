"""What the ledger says of the same money as finance's documents. Pure."""

from collections.abc import Iterable

from privy.wallet.v1 import ledger_pb2

from devstack.demo.finance import Sums


def ledger_sums(lines: Iterable[ledger_pb2.TrialBalanceLine]) -> Sums:
    return {
        (account_type(line.account_type), line.asset_code): line.amount_minor
        for line in lines
        if line.amount_minor
    }


def account_type(number: "ledger_pb2.AccountType.ValueType") -> str:
    """Give an account type's name without its prefix."""
    return ledger_pb2.AccountType.Name(number).removeprefix("ACCOUNT_TYPE_")
