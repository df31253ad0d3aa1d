"""Errors as gRPC says them."""

import itertools

from shared.errors import FailedPrecondition
from shared.rpc_status import status_of

FACTS = {"wallet_id": "wal_1", "asset_code": "IDR", "available_minor": "5", "needed_minor": "7"}


def test_a_refusal_is_said_in_the_same_bytes_in_whatever_order_its_facts_were_put() -> None:
    """A kept one has been through the database, which orders them otherwise."""
    said = {
        status_of(FailedPrecondition("REASON", "words", dict(facts))).SerializeToString()
        for facts in itertools.permutations(FACTS.items())
    }
    assert len(said) == 1
