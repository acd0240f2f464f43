"""A small version of the benchmarks, whose ratios must not be far from those that are committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import backfill, growth, instructions, platform
from benchmarks.instructions import SMALL
from benchmarks.server import Server

WORSE = 2.0
"""How many times as bad a timed ratio may be as the one that is committed: more than noise makes it."""

MORE = 1.03
"""The same of a ratio of instructions, in which there is next to no noise."""

TIMED = ("growth", "backfill")

ROUNDS, ROUNDS_IN_DOUBT = 3, 9
GROWTH_ROWS, GROWTH_LARGEST = 200, 10_000

COMPARED_WITH = "floor"
"""The variant that is not ours to keep fast."""

Ratios = dict[tuple[str, ...], float]


def more_instructions(bindir: Path | None, committed: dict[str, Any], tell: Callable[[str], None]) -> list[str]:
    """Count on a small platform what the triggers take, and return what is more than MORE times the committed ratio.

    Args:
        bindir: where the programs of the server are; None for the embedded one.
        committed: the parts of performance.json.
        tell: receives what is measured, or why nothing is.
    """
    if why := instructions.skipped():
        tell(why)
        return []
    tell("instructions")
    measured, described = instructions.measure(bindir, SMALL, 1)
    name = instructions.named(described)
    if name not in committed:
        tell(f"SKIPPED: nothing is committed for {name}")
        return []
    for of, taken in measured["counted"].items():
        tell(", ".join(f"{of}, {what}: {taken[what]['shipped']['ratio']['median']:.3f}" for what in taken))
    return compared(measured["counted"], committed[name]["result"]["small"], MORE)


def slower(server: Server, committed: dict[str, Any], parts: Sequence[str], tell: Callable[[str], None]) -> list[str]:
    """Measure on a small platform, and return what is more than WORSE times as bad as in ``committed``.

    What seems so is measured again with more rounds, and that decides.

    Args:
        server: where to measure.
        committed: the parts of performance.json.
        parts: which of TIMED.
        tell: receives each part that is measured.
    """
    measures: dict[str, Callable[[int], dict[str, Any]]] = {
        "growth": lambda rounds: growth.measure(server, SMALL, 4 * rounds, GROWTH_ROWS, GROWTH_LARGEST),
        "backfill": lambda rounds: {"rows_per_second": backfill.rates(server, rounds, [])},
    }
    platform.build(server, SMALL, ["unlinked", "linked"])
    found: list[str] = []
    for part in parts:
        tell(part)
        if worse := compared(measures[part](ROUNDS), committed[part]["result"], WORSE):
            tell(f"{part} again, for " + "; ".join(worse))
            found += compared(measures[part](ROUNDS_IN_DOUBT), committed[part]["result"], WORSE)
    return found


def compared(measured: dict[str, Any], committed: dict[str, Any], limit: float) -> list[str]:
    """Return the ratios that are more than ``limit`` times as bad as the committed ones of the same name."""
    before = dict(_ratios(committed))
    return [
        f"{', '.join(name)}: {ratio:.3f}, committed {before[name]:.3f}"
        for name, ratio in _ratios(measured)
        if name in before and _times_worse(name, ratio, before[name]) > limit
    ]


def _times_worse(name: tuple[str, ...], ratio: float, before: float) -> float:
    """Of throughput more is better, of time less."""
    return before / ratio if name[0] == "rows_per_second" else ratio / before


def _ratios(result: dict[str, Any], name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    if "ratio" in result:
        if name[-1] != COMPARED_WITH:
            yield name, result["ratio"]["median"]
        return
    for key, value in result.items():
        if isinstance(value, dict):
            yield from _ratios(value, (*name, key))
