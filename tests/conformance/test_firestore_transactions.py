"""Transactions: what one has read still holds when it commits."""

import threading

import pytest
from google.api_core.exceptions import InvalidArgument
from google.cloud.firestore import Query, Transaction, transactional

from tests.conformance.firestore_calls import Firestore


def test_counting_at_the_same_time_loses_nothing(firestore: Firestore) -> None:
    """Of two that both read before either of them writes, one reads again."""
    document = firestore.collection().document("one")
    document.set({"count": 0})
    both_have_read = threading.Barrier(2, timeout=10)
    waited: set[Transaction] = set()

    @transactional
    def add_one(transaction: Transaction) -> None:
        (snapshot,) = transaction.get(document)
        if transaction not in waited:
            waited.add(transaction)
            both_have_read.wait()
        transaction.update(document, {"count": snapshot.get("count") + 1})

    def count() -> None:
        add_one(firestore.client.transaction(max_attempts=10))

    threads = [threading.Thread(target=count) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert document.get().get("count") == 2


def test_a_transaction_that_fails_leaves_nothing(firestore: Firestore) -> None:
    """An error inside of it rolls back what it would have written."""
    document = firestore.collection().document("one")

    @transactional
    def fail(transaction: Transaction) -> None:
        transaction.set(document, {})
        raise LookupError

    with pytest.raises(LookupError):
        fail(firestore.client.transaction())

    assert not document.get().exists


def test_a_transaction_reads_queries_too(firestore: Firestore) -> None:
    """What a query found may decide what is written."""
    collection = firestore.collection()
    for name in ("a", "b"):
        collection.document(name).set({"amount_minor": 100})

    @transactional
    def add_up(transaction: Transaction) -> None:
        found = list(transaction.get(Query(collection)))
        total = sum(each.get("amount_minor") for each in found)
        transaction.set(collection.document("total"), {"amount_minor": total})

    add_up(firestore.client.transaction())

    assert collection.document("total").get().to_dict() == {"amount_minor": 200}


def test_a_read_only_transaction_cannot_write(firestore: Firestore) -> None:
    """It reads, and its commit of a write is refused."""
    document = firestore.collection().document("one")
    token = firestore.begin(read_only=True)

    with pytest.raises(InvalidArgument):
        firestore.commit(firestore.write(document), transaction=token)

    assert not document.get().exists


@pytest.mark.parametrize("token", [b"nonsense", b""])
def test_a_transaction_ends_once(firestore: Firestore, token: bytes) -> None:
    """Neither one that never began nor one that has ended can commit."""
    document = firestore.collection().document("one")
    if not token:
        token = firestore.begin()
        firestore.commit(transaction=token)

    with pytest.raises(InvalidArgument):
        firestore.commit(firestore.write(document), transaction=token)
