"""What a newcomer runs first: the demo, and the example."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from devstack.stack import Stack

LIMIT_S = 100
FIRST_STEPS = Path(__file__).parents[2] / "examples" / "first_steps.py"

# Worked out by hand, at the prices of the price book that the product comes with.
KEY_RESULTS = (
    "stamp-1 | INSUFFICIENT_FUNDS | Rp 35,000.00 | Rp 44,000.00",
    "sign-1 | REQUEST_ID_REUSED | |",
    "booking | person's wallet | set aside | | | +Rp 25,000.00",
    "after booking | person | Rp 55,000.00 | Rp 25,000.00 | Rp 30,000.00",
    "person | Rp 27,500.00 | Rp 0.00 | Rp 27,500.00",
    "friend | Rp 10,500.00 | Rp 0.00 | Rp 10,500.00",
    "company | 92 ESIGN | 0 ESIGN | 92 ESIGN",
    "sum | 0 ESIGN | 0 ESIGN",
    "sum | Rp 0.00 | Rp 0.00",
    "ESIGN_DOCUMENT | Rp 15,000.00 | Rp 4,500.00 | Rp 10,500.00",
    "all products | Rp 32,000.00 | Rp 23,100.00 | Rp 8,900.00",
)


def test_the_demo_shows_what_was_worked_out_by_hand(tmp_path: Path) -> None:
    """`devstack demo` exits with 0, plain tables hold the right figures, nothing remains."""
    answer = run(("-m", "devstack", "demo"), {"TMPDIR": str(tmp_path)})
    assert answer.returncode == 0, answer.stderr
    shown = [" ".join(line.split()) for line in answer.stdout.splitlines()]
    assert [each for each in KEY_RESULTS if each not in shown] == []
    assert re.fullmatch(r"All \d+ checks hold after \d+\.\d s: .*", shown[-1])
    assert "\x1b" not in answer.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_example_runs_on_a_stack(stack: Stack) -> None:
    """It pays for three documents, and reads why it may not have thirty."""
    answer = run((str(FIRST_STEPS),), stack.environment)
    assert answer.returncode == 0, answer.stderr
    assert "3 documents cost 1500000 IDR" in answer.stdout
    assert "30 documents are refused: INSUFFICIENT_FUNDS" in answer.stdout
    assert "3500000 IDR (minor units) are left" in answer.stdout


def run(
    arguments: tuple[str, ...], environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        (sys.executable, *arguments),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
