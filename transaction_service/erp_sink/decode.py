"""What was delivered, as an event, or why it is none. Pure: never raises, whatever the bytes."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from google.protobuf.message import DecodeError
from privy.erp.v1.event_pb2 import CostRevenueEvent, EventLine, LineType
from privy.wallet.v1.ledger_pb2 import TransactionKind
from privy.wallet.v1.wallet_pb2 import PathNode, WalletType

from transaction_service.erp_sink.event import Event, Fault, Line, Node

EVENT_TYPE = CostRevenueEvent.DESCRIPTOR.full_name
SPEC_VERSION = "1.0"
_ANY_VERSION = re.compile(r"privy\.erp\.v[^.]+\.CostRevenueEvent")

# A plan has 32 legs at most, and a few more of those who pay; a path has 16 wallets at most. They
# take many times their bytes in a document: without a limit, a batch of events could outgrow what
# Firestore takes in one commit.
MAX_LINES = 64
MAX_PATH = 32

# Firestore's rules for a document id.
MAX_DOCUMENT_ID_BYTES = 1_500
_RESERVED_ID = re.compile(r"\.|\.\.|__.*__", re.DOTALL)

# Without UNSPECIFIED, and without what a newer publisher may know: such an event waits among the
# dead letters until the sink knows it too.
_KINDS = {number: name for name, number in TransactionKind.items() if number}
_WALLET_TYPES = {number: name for name, number in WalletType.items() if number}
_LINE_TYPES = {number: name for name, number in LineType.items() if number}


def decode(
    data: bytes, attributes: Mapping[str, str], account_codes: Collection[str]
) -> Event | Fault:
    """Answer the event, or the first fault in the order of `Reason`.

    `account_codes` are those of the ERP's chart: a line that has another cannot be booked there.
    """
    if fault := _envelope_fault(attributes):
        return fault
    message = CostRevenueEvent()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        return Fault("EVENT_UNDECODABLE", f"the data is no {EVENT_TYPE}: {error}")
    return next(_faults(message, account_codes), None) or _event(message)


def _envelope_fault(attributes: Mapping[str, str]) -> Fault | None:
    event_type = attributes.get("ce-type")
    if not _ANY_VERSION.fullmatch(event_type or ""):
        return Fault("EVENT_TYPE_FOREIGN", f"ce-type is {event_type!r}, not {EVENT_TYPE!r}")
    for name, known in (("ce-type", EVENT_TYPE), ("ce-specversion", SPEC_VERSION)):
        if (found := attributes.get(name)) != known:
            return Fault("EVENT_VERSION_UNKNOWN", f"{name} is {found!r}, not {known!r}")
    return None


def _faults(message: CostRevenueEvent, account_codes: Collection[str]) -> Iterator[Fault]:
    if fault := _id_fault(message.transaction_id):
        yield Fault("TRANSACTION_ID_INVALID", f"transaction_id {fault}")
    if message.kind not in _KINDS:
        yield Fault("FIELD_INVALID", f"kind {message.kind} is not known")
    for name in ("create_time", "effective_time"):
        if not message.HasField(name) or not _is_civil(message, name):
            yield Fault("FIELD_INVALID", f"{name} must be set, to a time in the years 1 to 9999")
    yield from _path_faults(message.path)
    if (count := len(message.seller_wallet_ids)) > MAX_PATH:
        yield Fault("FIELD_INVALID", f"seller_wallet_ids are {count}, more than {MAX_PATH}")
    yield from _line_faults(message.lines)
    yield from _account_faults(message.lines, account_codes)


def _path_faults(path: Sequence[PathNode]) -> Iterator[Fault]:
    if len(path) > MAX_PATH:
        yield Fault("FIELD_INVALID", f"path has {len(path)} wallets, more than {MAX_PATH}")
    for index, node in enumerate(path):
        if node.type not in _WALLET_TYPES:
            yield Fault("FIELD_INVALID", f"path[{index}].type {node.type} is not known")


def _line_faults(lines: Sequence[EventLine]) -> Iterator[Fault]:
    if len(lines) > MAX_LINES:
        yield Fault("FIELD_INVALID", f"lines are {len(lines)}, more than {MAX_LINES}")
    for index, line in enumerate(lines):
        if line.type not in _LINE_TYPES:
            yield Fault("FIELD_INVALID", f"lines[{index}].type {line.type} is not known")
        if not line.amount.asset_code:
            yield Fault("FIELD_INVALID", f"lines[{index}].amount.asset_code is required")
    for asset_code, sum_minor in _sums_minor(lines).items():
        if sum_minor:
            yield Fault("LINES_UNBALANCED", f"the lines in {asset_code} sum to {sum_minor}, not 0")


def _account_faults(lines: Sequence[EventLine], account_codes: Collection[str]) -> Iterator[Fault]:
    for index, line in enumerate(lines):
        if (code := line.account_code) not in account_codes:
            detail = f"lines[{index}].account_code {code!r} is not in the chart of accounts"
            yield Fault("ACCOUNT_CODE_UNKNOWN", detail)


def _id_fault(transaction_id: str) -> str | None:
    if not transaction_id:
        return "is required"
    if "/" in transaction_id:
        return "must not hold a slash"
    if _RESERVED_ID.fullmatch(transaction_id):
        return f"{transaction_id!r} is reserved by Firestore"
    if len(transaction_id.encode()) > MAX_DOCUMENT_ID_BYTES:
        return f"must not be longer than {MAX_DOCUMENT_ID_BYTES} bytes"
    return None


def _is_civil(message: CostRevenueEvent, name: str) -> bool:
    try:
        _moment(message, name)
    except (ValueError, OverflowError):
        return False
    return True


def _moment(message: CostRevenueEvent, name: str) -> datetime:
    moment: datetime = getattr(message, name).ToDatetime(tzinfo=UTC)
    return moment


def _sums_minor(lines: Iterable[EventLine]) -> Mapping[str, int]:
    sums: dict[str, int] = {}
    for line in lines:
        code = line.amount.asset_code
        sums[code] = sums.get(code, 0) + line.amount.minor_units
    return sums


def _event(message: CostRevenueEvent) -> Event:
    return Event(
        transaction_id=message.transaction_id,
        kind=_KINDS[message.kind],
        wallet_id=message.wallet_id,
        product_code=message.product_code,
        quantity=message.quantity,
        lines=tuple(_line(each) for each in message.lines),
        price_book_version=message.price_book_version,
        request_id=message.request_id,
        reference=message.reference,
        booking_id=message.booking_id,
        voids_transaction_id=message.voids_transaction_id,
        path=tuple(_node(each) for each in message.path),
        enterprise_wallet_id=message.enterprise_wallet_id,
        merchant_wallet_id=message.merchant_wallet_id,
        application_wallet_id=message.application_wallet_id,
        channel_wallet_id=message.channel_wallet_id,
        reseller_wallet_id=message.reseller_wallet_id,
        vendor_code=message.vendor_code,
        tax_code=message.tax_code,
        seller_wallet_ids=tuple(message.seller_wallet_ids),
        created_at=_moment(message, "create_time"),
        effective_at=_moment(message, "effective_time"),
    )


def _line(line: EventLine) -> Line:
    return Line(
        type=_LINE_TYPES[line.type],
        asset_code=line.amount.asset_code,
        amount_minor=line.amount.minor_units,
        wallet_id=line.wallet_id,
        vendor_code=line.vendor_code,
        tax_code=line.tax_code,
        account_code=line.account_code,
    )


def _node(node: PathNode) -> Node:
    return Node(node.wallet_id, _WALLET_TYPES[node.type], node.role)
