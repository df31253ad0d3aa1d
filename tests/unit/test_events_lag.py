"""The figures of `walletctl events lag`, of what the ledger and the newest document say."""

from datetime import UTC, datetime, timedelta

from privy.wallet.v1.feed_pb2 import FeedConsumer, GetFeedStatusResponse

from walletctl.finance.lag import row_of

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_what_waits_is_told_with_its_age() -> None:
    """The oldest event's age is of now; a delivery's time is of the newest document alone."""
    status = GetFeedStatusResponse(
        backlog=7, published_after=3, consumers=[FeedConsumer(consumer_id="a", shard_count=64)]
    )
    status.oldest_create_time.FromDatetime(NOW - timedelta(seconds=90))
    committed = NOW - timedelta(hours=1)
    newest = {"create_time": committed, "written_time": committed + timedelta(milliseconds=250)}
    assert row_of(status, newest, letters=2, now=NOW) == {
        "feed_backlog": 7,
        "feed_lag_s": 90.0,
        "publishers": 1,
        "subscription_backlog": 3,
        "newest_document_time": "2026-05-01T11:00:00+00:00",
        "delivery_s": 0.25,
        "dead_letters": 2,
    }


def test_where_nothing_was_ever_written_there_is_no_delivery() -> None:
    """A new system: nothing waits, and of documents there is nothing to tell."""
    row = row_of(GetFeedStatusResponse(published_after=0), None, letters=0, now=NOW)
    assert (row["feed_lag_s"], row["newest_document_time"], row["delivery_s"]) == (0.0, None, None)
    assert (row["feed_backlog"], row["subscription_backlog"], row["publishers"]) == (0, 0, 0)
