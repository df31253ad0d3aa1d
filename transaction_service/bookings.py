"""What bookings froze: read from the ledger, but for those that were opened here a moment ago."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from privy.wallet.v1 import ledger_pb2

from transaction_service.domain import Booking
from transaction_service.wire.wallet import booking_of

MAX_KEPT = 20_000

Read = Callable[[str], Awaitable[Booking]]


class Bookings:
    """Bookings, of which those opened last, at most `MAX_KEPT`, are known without being read.

    Such a booking is given away once, as it was opened, to who wants all of it; whoever comes after
    reads it. If some of it was taken meanwhile, elsewhere, the ledger refuses what was planned by
    it, and it is read then.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._kept: OrderedDict[str, Booking] = OrderedDict()

    def opened(self, transaction: ledger_pb2.Transaction) -> None:
        """Keep the booking that a transaction opened. One that opened none is passed over.

        So is one that was only validated, which has no id.
        """
        opens = transaction.kind == ledger_pb2.TRANSACTION_KIND_BOOKING
        if not (opens and transaction.transaction_id):
            return
        self._kept[transaction.booking_id] = booking_of(transaction)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    async def to_commit(self, booking_id: str, quantity: int) -> Booking:
        """Answer a booking of which so many units are to be taken. Raises what reading raises."""
        kept = self._kept.pop(booking_id, None)
        # A part is priced by what was taken before, and too much is refused by what is left.
        if kept is None or quantity != kept.charge.quantity:
            return await self._read(booking_id)
        return kept

    async def to_cancel(self, booking_id: str) -> Booking:
        """Answer a booking that is to be set free. Raises what reading raises."""
        return self._kept.pop(booking_id, None) or await self._read(booking_id)
