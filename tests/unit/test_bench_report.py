"""What a report says of its figures."""

import json
from pathlib import Path

import pytest

from bench import front
from bench.finance import percentile
from bench.plots import draw
from bench.report import Check, Claim, Part, Report, Sheet, ratio


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        (Claim("at least", 2.0, at_least=2), True),
        (Claim("at least", 1.99, at_least=2), False),
        (Claim("at most", 2.0, at_most=2), True),
        (Claim("at most", 2.01, at_most=2), False),
        (Claim("none asked", 0.0), True),
    ],
)
def test_a_claim_holds_up_to_its_limit(claim: Claim, holds: bool) -> None:
    assert claim.holds is holds


def test_a_ratio_is_of_rounds_side_by_side() -> None:
    """A round in which the machine did something else falls out, on both sides alike."""
    assert ratio("twice", of=[20, 2, 40], to=[10, 1, 4]).value == 2


@pytest.mark.parametrize(("percent", "value"), [(1, 1), (50, 50), (99, 99), (100, 100)])
def test_percentiles_are_values_that_were_measured(percent: float, value: float) -> None:
    assert percentile([float(each) for each in range(100, 0, -1)], percent) == value


def test_a_report_has_every_round_in_json_and_medians_on_its_page(tmp_path: Path) -> None:
    """What is missed, and books that are not clean, stand out."""
    sheet = Sheet("Speed")
    for rate in (1_000.0, 3_000.0, 2_000.0):
        sheet.add("native, 256", {"actions/s": rate})
    sheet.add("TPC-B", {"p50 ms": 1.25})
    part = Part(
        [sheet], [Claim("to TPC-B", 2.0, at_least=2.5)], [Check("verify", clean=False, said="off")]
    )
    report = Report({"machine": "2 cores"}, [part])
    report.save_rounds(tmp_path, "run")
    page = report.save_page(tmp_path, "run", [tmp_path / "run-cpu.png"])
    lines = page.read_text().splitlines()
    assert "| native, 256 | 2,000 |  |" in lines
    assert "| TPC-B |  | 1.2 |" in lines
    assert "| to TPC-B | 2.00 | ≥ 2.5 | NO |" in lines
    assert "| verify | NO | off |" in lines
    assert "![run-cpu](run-cpu.png)" in lines
    saved = json.loads((tmp_path / "run.json").read_text())
    assert saved["figures"]["Speed"]["native, 256"]["actions/s"] == [1_000, 3_000, 2_000]


def test_pictures_are_drawn_of_rows_that_lack_some_figures(tmp_path: Path) -> None:
    """Pgbench has no services, and not every run has every part."""
    sheet = Sheet(front.ALONE)
    sheet.add(front.TPCB, {"actions/s": 1_000, "postgres µs": 300})
    for in_flight in (64, 256):
        row = front.row_name("native", "uniform", in_flight)
        sheet.add(row, {"actions/s": 5_000, "p95 ms": 9, "wallet µs": 90, "postgres µs": 40})
    pictures = draw(Report({}, [Part([sheet])]), tmp_path, "run")
    assert [each.name for each in pictures] == ["run-latency.png", "run-cpu.png"]
    assert all(each.read_bytes().startswith(b"\x89PNG") for each in pictures)
