"""A small version of the benchmarks, whose ratios must not be far from those that are committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import backfill, growth, insert, platform
from benchmarks.platform import Size
from benchmarks.server import Server

SIZE = Size(users=5000, orgs=50, courses=100, submissions=20_000, bulk_rows=5000)
WORSE = 2.0
"""How many times as bad a ratio may be as the one that is committed: more than noise makes it."""

ROUNDS, ROUNDS_IN_DOUBT = 3, 9
GROWTH_ROWS, GROWTH_LARGEST = 200, 10_000

COMPARED_WITH = ("floor", "application", "naive")
"""Variants that are not ours to keep fast."""

Ratios = dict[tuple[str, ...], float]


def broken(server: Server, committed: dict[str, Any], tell: Callable[[str], None]) -> list[str]:
    """Measure on a small platform, and return what is more than WORSE times as bad as in ``committed``.

    What seems so is measured again with more rounds, and that decides.

    Args:
        server: where to measure.
        committed: the parts of performance.json.
        tell: is told each part that is measured.
    """
    measures: dict[str, Callable[[int], dict[str, Any]]] = {
        "insert": lambda rounds: insert.measure(server, SIZE, rounds, "-T1", ("floor", "sessiondb"), ("1 client",)),
        "growth": lambda rounds: growth.measure(server, SIZE, 4 * rounds, GROWTH_ROWS, GROWTH_LARGEST),
        "backfill": lambda rounds: {"rows_per_second": backfill.rates(server, rounds, [])},
    }
    platform.build(server, SIZE, ["unlinked", "linked"])
    found: list[str] = []
    for part, measure in measures.items():
        tell(part)
        if worse := compared(measure(ROUNDS), committed[part]["result"]):
            tell(f"{part} again, for " + "; ".join(worse))
            found += compared(measure(ROUNDS_IN_DOUBT), committed[part]["result"])
    return found


def compared(measured: dict[str, Any], committed: dict[str, Any]) -> list[str]:
    """Return the ratios of a part that are too far from the committed ones, those of the same name."""
    before = dict(_ratios(committed))
    return [
        f"{', '.join(name)}: {ratio:.2f}, committed {before[name]:.2f}"
        for name, ratio in _ratios(measured)
        if name in before and _times_worse(name, ratio, before[name]) > WORSE
    ]


def _times_worse(name: tuple[str, ...], ratio: float, before: float) -> float:
    """Of throughput more is better, of time less."""
    return before / ratio if name[0] in ("single", "rows_per_second") else ratio / before


def _ratios(result: dict[str, Any], name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    if "ratio" in result:
        if name[-1] not in COMPARED_WITH:
            yield name, result["ratio"]["median"]
        return
    for key, value in result.items():
        if isinstance(value, dict):
            yield from _ratios(value, (*name, key))
