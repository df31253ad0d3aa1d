"""Names of enum values: with their type's prefix in protos, without it here."""

from privy.wallet.v1 import ledger_pb2, wallet_pb2

from shared.enums import enum_names, enum_numbers

KINDS = enum_numbers(ledger_pb2.TransactionKind, "TRANSACTION_KIND_")
ACCOUNT_TYPES = enum_numbers(ledger_pb2.AccountType, "ACCOUNT_TYPE_")
WALLET_TYPES = enum_numbers(wallet_pb2.WalletType, "WALLET_TYPE_")
_WALLET_TYPE_NAMES = enum_names(wallet_pb2.WalletType, "WALLET_TYPE_")


def wallet_type_of(number: "wallet_pb2.WalletType.ValueType") -> str:
    return _WALLET_TYPE_NAMES[number]
