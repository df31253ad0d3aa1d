"""Names of enum values: with their type's prefix in protos, without it here."""

from privy.wallet.v1 import ledger_pb2, wallet_pb2


def kind_out(name: str) -> "ledger_pb2.TransactionKind.ValueType":
    return ledger_pb2.TransactionKind.Value(f"TRANSACTION_KIND_{name}")


def wallet_type_out(name: str) -> "wallet_pb2.WalletType.ValueType":
    return wallet_pb2.WalletType.Value(f"WALLET_TYPE_{name}")


def wallet_type_of(number: "wallet_pb2.WalletType.ValueType") -> str:
    return wallet_pb2.WalletType.Name(number).removeprefix("WALLET_TYPE_")
