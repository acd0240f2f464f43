"""The benchmarks run, at a size that says nothing about speed."""

from __future__ import annotations

import copy
import functools
import json
import operator
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import bounds, report

ROOT = Path(__file__).parents[1]
PARTS = ["insert", "forms", "growth", "backfill", "backfill-under-traffic", "apply", "trainer"]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    output = tmp_path_factory.mktemp("performance")
    only = [word for part in PARTS for word in ("--only", part)]  # the instructions are counted by .ci/run
    command = [sys.executable, "-m", "benchmarks", "--quick", *only, "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((output / "performance.json").read_text(encoding="utf-8"))
    return found


def _ratios(result: Any) -> Iterator[float]:
    if isinstance(result, dict):
        for name, value in result.items():
            if name == "ratio":
                yield value["median"]
            else:
                yield from _ratios(value)


@pytest.mark.slow
def test_each_variant_is_measured_for_each_table_and_way(parts: dict[str, Any]) -> None:
    result = parts["insert"]["result"]
    assert {
        (table, way, variant)
        for kind in ("single", "bulk")
        for table, ways in result[kind].items()
        for way, variants in ways.items()
        for variant in variants
    } == {
        (table, way, variant)
        for table in ("enrollments", "submissions")
        for way, variants in {
            "1 client": ("floor", "sessiondb", "application", "naive"),
            "8 clients": ("floor", "sessiondb", "application", "naive"),
            "1 client on a network": ("floor", "sessiondb", "application", "naive"),
            "select": ("floor", "sessiondb", "naive"),
            "copy": ("floor", "sessiondb", "naive"),
        }.items()
        for variant in variants
    }


@pytest.mark.slow
def test_every_part_has_its_ratios_and_what_they_depend_on(parts: dict[str, Any]) -> None:
    assert [*parts] == PARTS
    for part in parts.values():
        assert part["server"]["settings"]["fsync"] in ("on", "off")
        assert "PostgreSQL" in part["server"]["version"]
        assert all(ratio > 0 for ratio in _ratios(part["result"]))
    assert parts["backfill"]["result"]["batches"] > 0
    assert len(parts["backfill-under-traffic"]["result"]["client_memory_mb"]) == 2
    assert parts["apply"]["result"]["apply"]["writes"] > 0
    assert all(took["median"] > 0 for took in parts["trainer"]["result"]["pages_s"].values())
    assert {*parts["growth"]["result"]} == {
        "active sessions",
        "completed sessions",
        "organisations of the user",
        "members of the organisation",
        "rows of submissions",
    }


@pytest.mark.parametrize(
    ("part", "name", "worse"),
    [
        ("growth", ("active sessions", "enrollments", "10000"), 2.1),
        ("backfill", ("rows_per_second", "sessiondb"), 1 / 2.1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_ratio_over_twice_as_bad_as_the_committed_one_is_named(
    part: str, name: tuple[str, ...], worse: float
) -> None:
    committed = report.read(ROOT / "docs" / "performance")[part]["result"]
    measured = copy.deepcopy(committed)
    ratio = functools.reduce(operator.getitem, name, measured)["ratio"]

    for factor in (0.95, 1.05):  # noise
        ratio["median"] *= factor
        assert bounds.compared(measured, committed, bounds.WORSE) == []
    ratio["median"] *= worse
    assert [line.split(":")[0] for line in bounds.compared(measured, committed, bounds.WORSE)] == [", ".join(name)]


def test_a_trigger_that_takes_four_percent_more_instructions_is_named() -> None:
    def counted(ratio: float) -> dict[str, Any]:
        return {"submissions": {"row": {"floor": {"ratio": {"median": 1}}, "shipped": {"ratio": {"median": ratio}}}}}

    assert bounds.compared(counted(1.5 * 1.02), counted(1.5), bounds.MORE) == []
    assert bounds.compared(counted(1.5 * 1.04), counted(1.5), bounds.MORE) == [
        "submissions, row, shipped: 1.560, committed 1.500"
    ]


@pytest.mark.parametrize("page", report.PAGES, ids=lambda path: path.name)
def test_a_page_shows_the_figures_of_the_run_that_it_names(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert f"{report.FILE} -->" in text
    assert report.renewed(text) == text
