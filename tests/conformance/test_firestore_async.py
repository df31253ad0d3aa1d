"""The asynchronous client works as the other one does."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.api_core.exceptions import AlreadyExists
from google.cloud.firestore import (
    AsyncClient,
    AsyncQuery,
    AsyncTransaction,
    FieldFilter,
    Increment,
    async_transactional,
)

from tests.conformance.firestore_calls import Firestore


@pytest.fixture
async def client(firestore: Firestore) -> AsyncIterator[AsyncClient]:
    client = firestore.async_client()
    yield client
    await client._firestore_api.transport.close()  # noqa: SLF001 (it has no close of its own)


async def test_documents_are_written_and_read(client: AsyncClient, firestore: Firestore) -> None:
    """A batch goes in whole, and single documents, queries and counts see it."""
    collection = client.collection(firestore.collection().id)
    batch = client.batch()
    for number in range(3):
        batch.create(collection.document(str(number)), {"number": number})
    await batch.commit()
    await collection.document("1").update({"number": Increment(10)})

    snapshot = await collection.document("1").get()
    query = collection.where(filter=FieldFilter("number", ">", 1))
    counting: Any = AsyncQuery(collection).count()
    ((count,),) = await counting.get()

    assert snapshot.to_dict() == {"number": 11}
    assert [each.id async for each in query.stream()] == ["2", "1"]
    assert count.value == 3
    with pytest.raises(AlreadyExists):
        await collection.document("1").create({})


async def test_a_transaction_reads_and_writes(client: AsyncClient, firestore: Firestore) -> None:
    """What it read decides what it writes."""
    document = client.collection(firestore.collection().id).document("one")
    await document.set({"count": 1})

    @async_transactional
    async def double(transaction: AsyncTransaction) -> None:
        snapshot = await document.get(transaction=transaction)
        transaction.update(document, {"count": 2 * snapshot.get("count")})

    await double(client.transaction())

    assert (await document.get()).to_dict() == {"count": 2}
