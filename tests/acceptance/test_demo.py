"""What a newcomer runs first: the demo, and the example."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from devstack.stack import Stack

LIMIT_S = 100
WIDTH = 100
FIRST_STEPS = Path(__file__).parents[2] / "examples" / "first_steps.py"

# Worked out by hand, at the prices of the price book that the product comes with.
LIMIT_REFUSAL = (
    "kiosk-4 | SPENDING_LIMIT_EXCEEDED | north merchant "
    "| Rp 40,000.00 | Rp 27,500.00 | Rp 15,000.00"
)
KEY_RESULTS = (
    "stamp-1 | INSUFFICIENT_FUNDS | Rp 35,000.00 | Rp 44,000.00",
    "sign-1 | REQUEST_ID_REUSED | |",
    "booking | person | set aside | | | +Rp 25,000.00",
    "after booking | person | Rp 55,000.00 | Rp 25,000.00 | Rp 30,000.00",
    "breakage | breakage | earned, unspent | | Rp 2,000.00",
    "usage | web channel | owed no longer | Rp 8,000.00 |",
    "usage | north merchant | owed no longer | Rp 7,000.00 |",
    "commit | enterprise | owed no longer | Rp 12,500.00 | | -Rp 12,500.00",
    LIMIT_REFUSAL,
    "usage | reseller | earned by reselling | | Rp 12,000.00",
    "void | reseller | reversed | Rp 3,000.00 |",
    "person | Rp 30,000.00 | Rp 0.00 | Rp 30,000.00",
    "friend | Rp 10,500.00 | Rp 0.00 | Rp 10,500.00",
    "company | 92 ESIGN | 0 ESIGN | 92 ESIGN",
    "enterprise | Rp 67,500.00 | Rp 0.00 | Rp 67,500.00",
    "reseller | Rp 9,000.00 | Rp 0.00 | Rp 9,000.00",
    "customer | Rp 26,690.00 | Rp 0.00 | Rp 26,690.00",
    "before the replay | no | 27",
    "after the replay | yes | 28",
    "sum | 0 ESIGN | 0 ESIGN",
    "sum | Rp 0.00 | Rp 0.00",
    "ESIGN_DOCUMENT | Rp 30,000.00 | Rp 0.00 | Rp 9,000.00 | Rp 21,000.00",
    "north merchant | Rp 27,500.00 | Rp 0.00 | Rp 10,000.00 | Rp 17,500.00",
    "all | Rp 72,500.00 | Rp 2,000.00 | Rp 48,100.00 | Rp 26,400.00",
    "ESEAL_DOCUMENT | Rp 2,310.00 | Rp 9,000.00",
)  # fmt: skip


def test_the_demo_shows_what_was_worked_out_by_hand(tmp_path: Path) -> None:
    """`devstack demo` exits with 0, plain tables hold the right figures, nothing remains."""
    answer = run(("-m", "devstack", "demo"), {"TMPDIR": str(tmp_path)})
    assert answer.returncode == 0, answer.stderr
    shown = [" ".join(line.split()) for line in answer.stdout.splitlines()]
    assert [each for each in KEY_RESULTS if each not in shown] == []
    assert [each for each in answer.stdout.splitlines()[:-1] if len(each) > WIDTH] == []
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
