"""What is asked: calls with a request id each, used once."""

import itertools
import random
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from privy.transaction.v1 import transaction_pb2 as pb
from privy.wallet.v1.amount_pb2 import Amount

from bench.load.connection import Answer, Call
from bench.load.headers import request_headers

SERVICE = "privy.transaction.v1.TransactionService"
PRODUCTS = ("ESIGN_DOCUMENT", "EKYC_CHECK")
BATCH_SIZE = 100
_BATCHES = 200
_REMEMBERED = 10_000

_PLACE = "request id goes here"
"""As long as a request id."""

_ANY_AMOUNT = Amount(asset_code="IDR", minor_units=1_000)


class Traffic(Protocol):
    """Makes calls, and looks at the answers of those that ended well."""

    def call(self) -> Call: ...

    def accepted(self, answer: Answer) -> int:
        """Say how many actions were accepted, and learn what later calls need."""
        ...


class RequestIds:
    """Ids that no other run ever used, as the first field of a message."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(5).encode()
        self._numbers = itertools.count()

    def field(self) -> bytes:
        """Make field 1, a text of 20 bytes."""
        return b"\x0a\x14%b%010d" % (self._run, next(self._numbers))


class Usages:
    """`RecordUsage` of one document, on any of the wallets."""

    def __init__(self, authority: str, wallets: Sequence[str]) -> None:
        self._headers = _headers(authority, "RecordUsage")
        self._ids = RequestIds()
        self._bodies = [_usage(wallet, PRODUCTS[0]) for wallet in wallets]

    def call(self) -> Call:
        body = self._bodies[int(random.random() * len(self._bodies))]  # noqa: S311 (no secret)
        return Call(self._headers, self._ids.field() + body)

    def accepted(self, answer: Answer) -> int:  # noqa: ARG002 (the others look at it)
        return 1


class Batches:
    """`ExecuteBatch` of a hundred usages on any of the wallets, each for itself."""

    def __init__(self, authority: str, wallets: Sequence[str]) -> None:
        self._headers = _headers(authority, "ExecuteBatch")
        self._ids = RequestIds()
        self._bodies = [_batch(random.choices(wallets, k=BATCH_SIZE)) for _ in range(_BATCHES)]  # noqa: S311

    def call(self) -> Call:
        first, *others = random.choice(self._bodies)  # noqa: S311
        body = [first]
        for part in others:
            body += (self._ids.field(), part)
        return Call(self._headers, b"".join(body))

    def accepted(self, answer: Answer) -> int:
        results = pb.ExecuteBatchResponse.FromString(answer.message).results
        return sum(each.HasField("transaction") for each in results)


class Mixed:
    """Every action: half of them usages; what was booked is committed, cancelled, or left."""

    def __init__(self, authority: str, wallets: Sequence[str]) -> None:
        self._wallets = wallets
        self._ids = RequestIds()
        self._bookings: deque[str] = deque(maxlen=_REMEMBERED)
        self._usages: deque[str] = deque(maxlen=_REMEMBERED)
        self._headers = {
            name: _headers(authority, name)
            for name in (
                *("RecordUsage", "BookUsage", "CommitUsage", "CancelUsage"),
                *("TopUp", "Transfer", "VoidTransaction"),
            )
        }
        self._books = self._headers["BookUsage"]
        self._records = self._headers["RecordUsage"]
        self._makers: Sequence[Callable[[], Call]] = (
            *(self._usage, self._book, self._commit, self._cancel),
            *(self._top_up, self._transfer, self._void),
        )

    def call(self) -> Call:
        (make,) = random.choices(self._makers, cum_weights=(50, 67, 79, 82, 90, 98, 100))  # noqa: S311
        return make()

    def accepted(self, answer: Answer) -> int:
        """Remember a booking, to be committed or cancelled, and some usages, to be voided."""
        if answer.call.headers is self._books:
            done = pb.BookUsageResponse.FromString(answer.message).transaction
            self._bookings.append(done.booking_id)
        elif answer.call.headers is self._records and len(self._usages) < _REMEMBERED // 10:
            done = pb.RecordUsageResponse.FromString(answer.message).transaction
            self._usages.append(done.transaction_id)
        return 1

    def _call(self, name: str, body: bytes) -> Call:
        return Call(self._headers[name], self._ids.field() + body)

    def _any_wallet(self) -> str:
        return random.choice(self._wallets)  # noqa: S311

    def _usage(self) -> Call:
        return self._call("RecordUsage", _usage(self._any_wallet(), random.choice(PRODUCTS)))  # noqa: S311

    def _book(self) -> Call:
        request = pb.BookUsageRequest(
            wallet_id=self._any_wallet(), product_code=PRODUCTS[0], quantity=2
        )
        return self._call("BookUsage", request.SerializeToString())

    def _commit(self) -> Call:
        if not self._bookings:
            return self._book()
        request = pb.CommitUsageRequest(booking_id=self._bookings.popleft(), quantity=2)
        return self._call("CommitUsage", request.SerializeToString())

    def _cancel(self) -> Call:
        if not self._bookings:
            return self._book()
        request = pb.CancelUsageRequest(booking_id=self._bookings.popleft())
        return self._call("CancelUsage", request.SerializeToString())

    def _top_up(self) -> Call:
        request = pb.TopUpRequest(wallet_id=self._any_wallet(), amount=_ANY_AMOUNT)
        return self._call("TopUp", request.SerializeToString())

    def _transfer(self) -> Call:
        source, target = random.sample(self._wallets, 2)
        request = pb.TransferRequest(
            source_wallet_id=source, target_wallet_id=target, amount=_ANY_AMOUNT
        )
        return self._call("Transfer", request.SerializeToString())

    def _void(self) -> Call:
        if not self._usages:
            return self._usage()
        request = pb.VoidTransactionRequest(transaction_id=self._usages.popleft())
        return self._call("VoidTransaction", request.SerializeToString())


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of traffic, and how many actions each of its calls asks for."""

    make: Callable[[str, Sequence[str]], Traffic]
    actions_per_call: int = 1


def _hot(authority: str, wallets: Sequence[str]) -> Usages:
    return Usages(authority, wallets[:1])


KINDS: Mapping[str, Kind] = {
    "uniform": Kind(Usages),
    "hot": Kind(_hot),
    "mixed": Kind(Mixed),
    "batch": Kind(Batches, BATCH_SIZE),
}


def _headers(authority: str, method: str) -> bytes:
    return request_headers(authority, f"/{SERVICE}/{method}")


def _batch(wallets: Sequence[str]) -> list[bytes]:
    """Make the parts between which the request ids belong."""
    place = b"\x0a\x14" + _PLACE.encode()
    usages = (
        pb.RecordUsageRequest(
            request_id=_PLACE, wallet_id=wallet, product_code=PRODUCTS[0], quantity=1
        )
        for wallet in wallets
    )
    request = pb.ExecuteBatchRequest(
        items=[pb.BatchItem(record_usage=each) for each in usages],
        mode=pb.BATCH_MODE_INDEPENDENT,
    )
    return request.SerializeToString().split(place)


def _usage(wallet: str, product: str) -> bytes:
    request = pb.RecordUsageRequest(wallet_id=wallet, product_code=product, quantity=1)
    return request.SerializeToString()
