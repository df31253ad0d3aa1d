"""An event as planned, with what only the ledger knew. Pure."""

from google.protobuf.message import DecodeError
from privy.erp.v1.event_pb2 import CostRevenueEvent
from privy.wallet.v1.feed_pb2 import FeedEvent


def complete(event: FeedEvent) -> bytes:
    """Serialize the finance event of `event` with its transaction id and times filled in.

    A payload that is no event is passed on as it is: held back it would stop the feed, while the
    sink puts it among the dead letters, where it is seen.
    """
    completed = CostRevenueEvent()
    try:
        completed.ParseFromString(event.payload)
    except DecodeError:
        return event.payload
    completed.transaction_id = event.transaction_id
    completed.create_time.CopyFrom(event.create_time)
    completed.effective_time.CopyFrom(event.effective_time)
    return completed.SerializeToString()
