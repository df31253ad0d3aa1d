"""The finance documents in Firestore, as the ERP would read them."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.cloud.firestore import AsyncClient

COLLECTION = "cost_revenue_events"
READ_TIMEOUT_S = 5.0
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Line:
    """One signed line: debits positive, credits negative; `type` without its prefix."""

    type: str
    asset_code: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Document:
    """One event; `document_id` is the transaction's id, `kind` is without its prefix."""

    document_id: str
    kind: str
    wallet_id: str
    product_code: str
    quantity: int
    lines: tuple[Line, ...]
    merchant_wallet_id: str = ""
    """Whose merchant's wallet it was, if any; empty else."""


async def wait_for_documents(
    client: AsyncClient, count: int, deadline_s: float, report: Callable[[int], None]
) -> Sequence[Document]:
    """Answer the documents once there are `count`, or those that are there at the deadline.

    `report` is told how many there are by now.
    """
    deadline = time.monotonic() + deadline_s
    documents = await read_documents(client)
    while len(documents) < count and time.monotonic() < deadline:
        report(len(documents))
        await asyncio.sleep(POLL_S)
        documents = await read_documents(client)
    return documents


async def read_documents(client: AsyncClient) -> Sequence[Document]:
    """Read them all, in the order of their transactions."""
    snapshots = await client.collection(COLLECTION).get(timeout=READ_TIMEOUT_S)
    documents = [document_of(each.id, each.to_dict() or {}) for each in snapshots]
    return in_order(documents)


def in_order(documents: Iterable[Document]) -> Sequence[Document]:
    """Put them in the order of their transactions."""
    return sorted(documents, key=lambda each: (len(each.document_id), each.document_id))


def document_of(document_id: str, fields: Mapping[str, Any]) -> Document:
    return Document(
        document_id=document_id,
        kind=fields["kind"].removeprefix("TRANSACTION_KIND_"),
        wallet_id=fields["wallet_id"],
        product_code=fields["product_code"],
        quantity=fields["quantity"],
        lines=tuple(
            Line(each["type"].removeprefix("LINE_TYPE_"), each["asset_code"], each["amount_minor"])
            for each in fields["lines"]
        ),
        merchant_wallet_id=fields["merchant_wallet_id"],
    )
