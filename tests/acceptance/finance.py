"""What the books and finance's documents say of the same money, for the acceptance tests."""

import asyncio
from collections.abc import Mapping
from typing import Any

from privy.wallet.v1 import ledger_pb2

from tests.acceptance.clients import TIMEOUT_S, Caller, events_of

WRITTEN_S = 30

Legs = list[tuple[str, str, int]]
"""Wallet (empty for the house), asset, signed minor units."""


async def checked_documents(client: Caller, project: str, wallet_id: str) -> Mapping[str, Any]:
    """Answer a wallet's documents, by transaction id, whose lines must be the ledger's legs."""
    legs = await legs_of(client, wallet_id)
    documents = await documents_of(project, wallet_id, len(legs))
    assert {name: lines_of(each) for name, each in documents.items()} == legs
    return documents


async def legs_of(client: Caller, wallet_id: str) -> dict[str, Legs]:
    """Read the legs that moved something, of each transaction that a wallet asked for."""
    request = ledger_pb2.ListTransactionsRequest(wallet_id=wallet_id)
    listed = await client.ledger.ListTransactions(request, timeout=TIMEOUT_S)
    legs = {
        each.transaction_id: [
            (entry.wallet_id, entry.amount.asset_code, entry.amount.minor_units)
            for entry in each.entries
            if entry.amount.minor_units
        ]
        for each in listed.transactions
    }
    return {name: each for name, each in legs.items() if each}


async def documents_of(project: str, wallet_id: str, count: int) -> Mapping[str, Any]:
    """Wait until a wallet has as many documents; answer them by transaction id."""
    documents: Mapping[str, Any] = {}
    async with asyncio.timeout(WRITTEN_S):
        while len(documents) < count:
            await asyncio.sleep(0.1)
            documents = await events_of(project, wallet_id)
    return documents


def lines_of(document: Mapping[str, Any]) -> Legs:
    return [
        (line["wallet_id"], line["asset_code"], line["amount_minor"]) for line in document["lines"]
    ]


def by_type(document: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Answer the lines' types, without their prefix, and amounts."""
    return [
        (line["type"].removeprefix("LINE_TYPE_"), line["amount_minor"])
        for line in document["lines"]
    ]
