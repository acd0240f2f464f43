"""Ratios taken in one run: the variants take turns, and what is compared was measured side by side."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Rounds = dict[str, list[float]]
"""What each variant took, one number for each round."""


def alternate(variants: Mapping[str, Callable[[], float]], rounds: int) -> Rounds:
    """Run all variants in each round, in another order each time.

    Where there are several rounds, one more comes before them that does not count.
    """
    dice = random.Random(1)  # noqa: S311  (an order, no secret)
    results: Rounds = {name: [] for name in variants}
    for number in range(rounds + 1 if rounds > 1 else 1):
        for name in dice.sample([*variants], len(variants)):
            value = variants[name]()
            if number or rounds == 1:
                results[name].append(value)
    return results


def summary(values: Sequence[float]) -> dict[str, float]:
    """Return the median and the quartiles."""
    if len(values) < 2:
        return dict.fromkeys(("median", "lower", "upper"), values[0])
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "lower": lower, "upper": upper}


def compare(results: Rounds, base: str) -> dict[str, Any]:
    """Return for each variant what it took, and its ratio to ``base`` in the same round."""
    return {
        name: {**summary(values), "ratio": summary([a / b for a, b in zip(values, results[base], strict=True)])}
        for name, values in results.items()
    }


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that so many percent of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]
