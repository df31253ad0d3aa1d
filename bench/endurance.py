"""Long runs: at a pace that can be kept, and at one that cannot."""

import statistics
from collections.abc import Iterator, Sequence

from bench.checks import check
from bench.measuring import MEGABYTES_OF, Measured, figures
from bench.report import Claim, Part, Progress, Sheet
from bench.scene import Scene, open_scene
from bench.size import Size

TITLE = "Long runs"
SHARE_OF_PEAK, TIMES_PEAK = 0.7, 5
PEAK_IN_FLIGHT = 256
FLAT_MB = 25
MIXED_PEAK, UNIFORM_PEAK = "peak, mixed", "peak, usages"
STEADY, OVERLOAD = "mixed, 70 % of peak", "usages, 5 times the peak"


async def measure_endurance(size: Size, progress: Progress) -> Part:
    """Measure what the faster engine does at its peak, below it for long, and far above it."""
    sheet = Sheet(TITLE)
    async with open_scene(size.wallets, events=False) as scene:
        progress("endurance: finding the peaks")
        await scene.measure(scene.fastest, "uniform", PEAK_IN_FLIGHT, size.warmup_seconds)
        await _below(size, scene, sheet, progress)
        await _above(size, scene, sheet, progress)
        progress("endurance: verifying the books")
        checks = await check("long runs", scene.stack.environment, events=False)
    return Part([sheet], list(_claims(sheet)), checks)


async def _below(size: Size, scene: Scene, sheet: Sheet, progress: Progress) -> None:
    peak = await _peak(size, scene, "mixed")
    sheet.add(MIXED_PEAK, figures(peak))
    per_second = peak.outcome.per_second * SHARE_OF_PEAK
    progress(f"endurance: {size.mixed_actions:,} mixed actions at {per_second:,.0f}/s")
    seconds = size.mixed_actions / per_second
    got = await scene.pace(scene.fastest, "mixed", per_second, seconds)
    progress(f"endurance: {got.outcome.ended}")
    sheet.add(STEADY, {**figures(got), **_growth(got)})


async def _above(size: Size, scene: Scene, sheet: Sheet, progress: Progress) -> None:
    peak = await _peak(size, scene, "uniform")
    sheet.add(UNIFORM_PEAK, figures(peak))
    per_second = peak.outcome.per_second * TIMES_PEAK
    progress(f"endurance: usages at {per_second:,.0f}/s")
    got = await scene.pace(scene.fastest, "uniform", per_second, size.overload_seconds)
    progress(f"endurance: {got.outcome.ended}")
    sheet.add(OVERLOAD, {**figures(got), **_growth(got)})


async def _peak(size: Size, scene: Scene, kind: str) -> Measured:
    return await scene.measure(scene.fastest, kind, PEAK_IN_FLIGHT, size.peak_seconds)


def _growth(got: Measured) -> dict[str, float]:
    """Say how much more memory each service had in the last fifth than in the second."""
    return {f"{name} MB grown": _grown(got.resident_mb[name]) for name in MEGABYTES_OF}


def _grown(megabytes: Sequence[float]) -> float:
    fifth = max(len(megabytes) // 5, 1)
    early = megabytes[fifth : 2 * fifth] or megabytes
    return statistics.median(megabytes[-fifth:]) - statistics.median(early)


def _claims(sheet: Sheet) -> Iterator[Claim]:
    yield Claim(f"{STEADY}: p95 ms", sheet.median(STEADY, "p95 ms"), at_most=70)
    yield Claim(f"{STEADY}: failed", sheet.median(STEADY, "failed"), at_most=0)
    for row in (STEADY, OVERLOAD):
        for name in MEGABYTES_OF:
            yield Claim(f"{row}: {name} MB", sheet.median(row, f"{name} MB"), at_most=250)
            grown = sheet.median(row, f"{name} MB grown")
            yield Claim(f"{row}: {name} MB grown", grown, at_most=FLAT_MB)
    peak, kept = (sheet.median(row, "actions/s") for row in (UNIFORM_PEAK, OVERLOAD))
    yield Claim(f"{OVERLOAD}: goodput to peak", kept / peak, at_least=0.8)
    yield Claim(
        f"{OVERLOAD}: failed otherwise than refused",
        sheet.median(OVERLOAD, "failed") - sheet.median(OVERLOAD, "refused"),
        at_most=0,
    )
