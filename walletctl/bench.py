"""`walletctl bench`: how fast the front door answers here and now, with nothing booked."""

import asyncio
import itertools
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import grpc
import typer
from privy.transaction.v1 import transaction_pb2 as pb
from privy.transaction.v1 import transaction_pb2_grpc

from shared.rpc_client import error_of
from walletctl.actions import Product
from walletctl.failures import EXIT_REFUSED, UNREACHABLE
from walletctl.output import Row, counting
from walletctl.session import TIMEOUT_S, session_of

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class _Seen:
    """How long accepted calls took, in ms, and why the others were not accepted."""

    latencies_ms: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


def bench(
    context: typer.Context,
    wallet_ids: Annotated[list[str], typer.Argument(help="Whose usages are asked for, in turns.")],
    product: Product,
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="For so long.")] = 10.0,
    in_flight: Annotated[
        int, typer.Option(min=1, max=1000, help="So many calls under way at any time.")
    ] = 64,
) -> None:
    """Measure how fast usages are decided. Each asks for validation only: nothing is booked.

    This client takes more of a processor than the services do: what they can do at most is told
    by `make bench`. Exit 1 if a call was not accepted.
    """
    session = session_of(context)
    target = session.transaction_target_given
    with counting("calls") as show:
        began = time.perf_counter()
        seen = asyncio.run(_load(target, _usages(wallet_ids, product), in_flight, seconds, show))
        elapsed_s = time.perf_counter() - began
    session.output.item(_told(seen, elapsed_s))
    if seen.refused:
        raise typer.Exit(EXIT_REFUSED)


def _usages(wallet_ids: Sequence[str], product: str) -> Iterator[pb.RecordUsageRequest]:
    run = uuid.uuid4().hex
    for number, wallet_id in enumerate(itertools.cycle(wallet_ids)):
        yield pb.RecordUsageRequest(
            request_id=f"{run}-{number}",
            wallet_id=wallet_id,
            product_code=product,
            quantity=1,
            validate_only=True,
        )


async def _load(
    target: str,
    usages: Iterator[pb.RecordUsageRequest],
    in_flight: int,
    seconds: float,
    show: Callable[[int], None],
) -> _Seen:
    """Keep so many calls under way for so long. Raises where the service does not answer."""
    seen = _Seen()
    ends_at = time.perf_counter() + seconds

    async def call_on(stub: "transaction_pb2_grpc.TransactionServiceAsyncStub") -> None:
        while (began := time.perf_counter()) < ends_at:
            try:
                await stub.RecordUsage(next(usages), timeout=TIMEOUT_S)
            except grpc.aio.AioRpcError as failure:
                if failure.code() in UNREACHABLE:
                    raise
                seen.refused[error_of(failure, "SERVICE").reason] += 1
            else:
                seen.latencies_ms.append((time.perf_counter() - began) * 1000)
            show(len(seen.latencies_ms))

    async with grpc.aio.insecure_channel(target) as channel:
        stub = transaction_pb2_grpc.TransactionServiceStub(channel)
        await asyncio.gather(*(call_on(stub) for _ in range(in_flight)))
    return seen


def _told(seen: _Seen, elapsed_s: float) -> Row:
    accepted = len(seen.latencies_ms)
    cuts = statistics.quantiles(seen.latencies_ms, n=100) if accepted > 1 else []
    return {
        "accepted": accepted,
        "accepted_per_s": round(accepted / elapsed_s, 1),
        **{f"p{each}_ms": round(cuts[each - 1], 2) if cuts else None for each in PERCENTILES},
        "refused": dict(seen.refused),
    }
