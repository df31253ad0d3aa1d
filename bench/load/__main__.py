"""`python -m bench.load`: reads an order, says when it begins to measure, then what came of it."""

import gc
import sys

import uvloop

from bench.load.driving import run
from bench.load.order import Order
from shared.process import preempt_nobody


def main() -> None:
    preempt_nobody()  # Nor what is measured: a call that is late counts from when it was due.
    order = Order.of(sys.stdin.readline())
    gc.disable()  # Nothing here makes cycles, and a run is short.
    outcome = uvloop.run(run(order, lambda: _say("begun")))
    _say(outcome.json())


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 (whoever started this process reads it)


if __name__ == "__main__":
    main()
