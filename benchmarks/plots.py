"""The plots that the documentation shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

COLOURS = {"floor": "#9aa5b1", "sessiondb": "#2563a8", "application": "#d98032", "naive": "#b3423a"}
LABELS = {
    "floor": "floor: no trigger",
    "sessiondb": "sessiondb",
    "application": "application asks, then inserts",
    "naive": "trigger by hand",
}

LINES = {
    "enrollments": {"color": "#d98032", "marker": "o", "markersize": 4},
    "submissions": {"color": "#2563a8", "marker": "s", "markersize": 4, "linestyle": "--"},
    "submissions without triggers": {"color": "#9aa5b1", "marker": "s", "markersize": 4, "linestyle": ":"},
}


def draw(parts: dict[str, Any], output: Path) -> None:
    """Draw what was measured, as SVG and PNG."""
    mpl.use("Agg")
    mpl.rcParams.update(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "sessiondb",
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "figure.constrained_layout.use": True,
        }
    )
    if "insert" in parts:
        _insert(parts["insert"]["result"], output)
    if "growth" in parts:
        _growth(parts["growth"]["result"], output)


def _insert(result: dict[str, Any], output: Path) -> None:
    """Draw bars of the ratios to the floor, with their quartiles."""
    figure, (single, bulk) = plt.subplots(1, 2, figsize=(11, 3.6), width_ratios=(3, 2))
    _bars(single, [(f"{t}\n{_of(clients)}", v) for t, ways in result["single"].items() for clients, v in ways.items()])
    single.set_title("single rows: throughput to the floor (more is better)")
    _bars(bulk, [(f"{t}\n{_way(way)}", v) for t, ways in result["bulk"].items() for way, v in ways.items()])
    bulk.set_title("bulk: time per row to the floor (less is better)")
    figure.legend(*single.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    _save(figure, output / "insert")


def _of(clients: str) -> str:
    return clients.replace(" on ", "\non ")


def _way(way: str) -> str:
    return {"select": "INSERT SELECT", "copy": "COPY"}[way]


def _bars(axes: Any, groups: list[tuple[str, dict[str, Any]]]) -> None:
    variants = [*groups[0][1]]
    width = 0.8 / len(variants)
    for place, variant in enumerate(variants):
        ratios = [values[variant]["ratio"] for _, values in groups]
        middle = [r["median"] for r in ratios]
        spread = [[r["median"] - r["lower"] for r in ratios], [r["upper"] - r["median"] for r in ratios]]
        at = [number - 0.4 + width * (place + 0.5) for number in range(len(groups))]
        axes.bar(at, middle, width * 0.92, yerr=spread, color=COLOURS[variant], label=LABELS[variant], ecolor="#333")
    axes.set_xticks(range(len(groups)), labels=[name for name, _ in groups])
    axes.axhline(1, color="#9aa5b1", linewidth=0.8)


def _growth(result: dict[str, Any], output: Path) -> None:
    """Draw the time of a row against each size, on two logarithmic axes."""
    figure, grid = plt.subplots(1, len(result), figsize=(2.5 * len(result), 2.8), sharey=True)
    for axes, (axis, tables) in zip(grid, result.items(), strict=True):
        for table, sizes in tables.items():
            axes.plot([*map(int, sizes)], [s["median"] for s in sizes.values()], **LINES[table], label=table)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(10, 1000)
        axes.minorticks_off()
        axes.set_xlabel(axis)
        axes.grid(visible=True, color="#ddd", linewidth=0.5)
    grid[0].set_ylabel("microseconds per row")
    grid[0].legend(frameon=False)
    _save(figure, output / "growth")


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=90)
    plt.close(figure)
