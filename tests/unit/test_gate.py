"""The gate: how many are let through, how many wait, and who is refused."""

import asyncio

import pytest

from shared.errors import ResourceExhausted
from shared.gate import Gate


async def test_so_many_pass_so_many_wait_and_the_next_is_refused() -> None:
    """A place that is left goes to who has waited longest; who gives up waiting makes room."""
    gate, leave = Gate(at_once=2, max_waiting=2), asyncio.Event()
    inside: list[int] = []

    async def enter(number: int) -> None:
        async with gate:
            inside.append(number)
            await leave.wait()

    tasks = [asyncio.create_task(enter(number)) for number in range(4)]
    await _run_others()
    assert inside == [0, 1]
    with pytest.raises(ResourceExhausted, match="too much is waiting"):
        await enter(4)
    tasks[2].cancel()
    await _run_others()
    tasks.append(asyncio.create_task(enter(5)))
    leave.set()
    await asyncio.wait(tasks)
    assert inside == [0, 1, 3, 5]


async def _run_others() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
