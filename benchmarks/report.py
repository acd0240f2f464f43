"""The results as JSON, as a table beside the goals, and as plots."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from benchmarks.insert import CLIENTS, TABLES
from benchmarks.platform import Size

FILE = "performance.json"
ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "docs" / "performance.md", ROOT / "docs" / "performance-laboratory.md"]
GOALS = {"1 client": ("≥ 0.95", "≥ 1.5"), "8 clients": ("≥ 0.85", "≥ 1.5")}
"""Of the throughput, to the floor's and to the application's."""

INSTRUCTION_GOALS = {
    "enrollments": "≤ 1.57",
    "submissions": "≤ 1.85",
    "submissions, several enrolments": "≤ 1.92",
}
"""Of a row in bulk, to the floor's, on PostgreSQL 18."""

CALL_GOALS = {"first call": "≤ 0.65", "calls 2 to 6": "≤ 0.50"}
"""Of a submission by a new connection, to what 0.1.0 takes."""

WAYS = {"select": "INSERT ... SELECT", "copy": "COPY"}


def tagged(server: dict[str, Any], size: Size, quick: bool, result: dict[str, Any]) -> dict[str, Any]:
    """Return a part's result with what its figures depend on."""
    return {
        "date": date.today().isoformat(),
        "quick": quick,
        "size": asdict(size),
        "server": server,
        "result": result,
    }


def read(output: Path) -> dict[str, Any]:
    """Return what is in the file, nothing where there is none."""
    path = output / FILE
    parts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return parts


def write(output: Path, parts: dict[str, Any]) -> None:
    """Put these parts into the file and keep the others."""
    output.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**read(output), **parts}, indent=1, default=str)
    (output / FILE).write_text(text + "\n", encoding="utf-8")


def renewed(page: str) -> str:
    """Return a page in which each table stands as its results are; a comment above it names both."""

    def made(comment: re.Match[str]) -> str:
        tables = {"summary": summary, "table": table, "forms": forms}
        return f"{comment['line']}\n{tables[comment['table']](read(ROOT / comment['directory']))}\n"

    return re.sub(rf"(?P<line><!-- (?P<table>\w+) of (?P<directory>\S+)/{FILE} -->)\n(?:\|.*\n)*", made, page)


def renew() -> None:
    """Update the tables in the pages."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if (now := renewed(text)) != text:
            page.write_text(now, encoding="utf-8")


def table(parts: dict[str, Any]) -> str:
    """Return each goal beside what was measured, in Markdown."""
    return "\n".join(["| | goal | measured |", "|---|---|---|", *map(_row, _goals(parts))])


def summary(parts: dict[str, Any]) -> str:
    """Return what a database administrator asks for first, in Markdown."""
    rows = {}
    for name in sorted(name for name in parts if name.startswith("instructions-")):
        counted = parts[name]["result"]["counted"]
        server = name.removeprefix("instructions-")
        rows[f"instructions of a row in bulk, PostgreSQL {server}"] = [counted[t]["row"]["shipped"] for t in TABLES]
    single = parts["insert"]["result"]["single"]
    for clients in CLIENTS:
        rows[f"throughput of single rows, {clients}"] = [single[table][clients]["sessiondb"] for table in TABLES]
    cells = [
        (f"{what}, to no trigger", *(f"{_ratio(took):.2f}" for took in of_tables)) for what, of_tables in rows.items()
    ]
    return "\n".join(["| what it costs | enrollments | submissions |", "|---|---|---|", *map(_row, cells)])


def forms(parts: dict[str, Any]) -> str:
    """Return what each form of the triggers takes, in Markdown."""
    rows = [
        f"| {table} | {form.replace('_', ' ')} | {took['median']:.1f} | {_spread(took)} |"
        for table, variants in parts["forms"]["result"].items()
        for form, took in variants.items()
    ]
    return "\n".join(["| table | form | µs a row | to the floor |", "|---|---|---|---|", *rows])


def _goals(parts: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, part in parts.items():
        if name.startswith("instructions-"):
            yield from _instruction_goals(name.removeprefix("instructions-"), part["result"])
    yield from _insert_goals(parts["insert"]["result"] if "insert" in parts else {})
    yield from _growth_goals(parts["growth"]["result"] if "growth" in parts else {})
    if "backfill" in parts:
        result, rows = parts["backfill"]["result"], _rows(parts["backfill"])
        yield (
            f"backfill of {rows}: rows per second, to one single UPDATE",
            "≥ 0.8",
            _spread(result["rows_per_second"]["sessiondb"]),
        )
        yield f"backfill of {rows}: longest batch", "≤ 1 s", f"{result['longest_batch_s']:.2f} s"
    if "backfill-under-traffic" in parts:
        result, rows = parts["backfill-under-traffic"]["result"], _rows(parts["backfill-under-traffic"])
        writer = result["writer"]
        ratio = writer["backfill"]["p99_ms"] / writer["idle"]["p99_ms"]
        yield f"backfill of {rows}: p99 of a writer, to idle", "≤ 1.2", f"{ratio:.2f}"
        if "processor" in writer:
            ratio = writer["processor"]["p99_ms"] / writer["idle"]["p99_ms"]
            yield "a load of the processor alone: p99 of a writer, to idle", "", f"{ratio:.2f}"
        (few, least), (many, most) = result["client_memory_mb"].items()
        yield f"backfill: memory of the client, {int(many):,} rows to {int(few):,}", "flat", f"{most / least:.2f}"
    if "apply" in parts:
        result, rows = parts["apply"]["result"], _rows(parts["apply"])
        yield f"apply to {rows} under {result['writers']} writers: wall time", "", f"{result['wall_s']:.1f} s"
        yield "apply: time in which writes stalled, in sum", "< 1 s", f"{result['apply']['stalled_ms'] / 1e3:.2f} s"
        yield "apply: longest write", "", f"{result['apply']['longest_ms']:.0f} ms"
        for command, took in result["commands_s"].items():
            name, _, part = command.partition(" of ")
            of = f" of {part}" if part else ""
            where = "" if name == "--help" else f" on {rows}"
            goal = {"--help": "< 0.15 s", "check of the catalogs": "< 5 s"}.get(command, "")
            yield f"`sessiondb {name}`{of}{where}, start to end", goal, f"{took['median']:.2f} s"
    if "trainer" in parts:
        for page, took in parts["trainer"]["result"]["pages_s"].items():
            goal = "≤ 300 ms" if page == "overview" else ""
            yield f"`sessiondb trainer`, {page}", goal, f"{took['median'] * 1e3:.0f} ms"


def _insert_goals(result: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for table, ways in result.get("single", {}).items():
        for clients, variants in ways.items():
            to_floor, to_application = GOALS.get(clients, ("", ""))
            yield f"{table}, {clients}: throughput to the floor", to_floor, _spread(variants["sessiondb"])
            ratio = _ratio(variants["sessiondb"]) / _ratio(variants["application"])
            yield f"{table}, {clients}: to the application", to_application, f"{ratio:.2f}"
    for table, ways in result.get("bulk", {}).items():
        for way, variants in ways.items():
            name = WAYS[way]
            yield f"{table}, {name}: time per row to the floor", "≤ 1.4", _spread(variants["sessiondb"])
            ratio = _ratio(variants["naive"]) / _ratio(variants["sessiondb"])
            yield f"{table}, {name}: times faster than by hand", "≥ 4", f"{ratio:.2f}"


def _instruction_goals(server: str, result: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, taken in result["counted"].items():
        row = taken["row"]["shipped"]
        goal = INSTRUCTION_GOALS[name] if server == "18" else ""
        yield f"{name}: instructions of a row in bulk to the floor, on {server}", goal, f"{_ratio(row):.2f}"
    for name, processor in result["processor"].items():
        heap = processor["shipped"].get("brk calls")
        if heap is not None:
            yield f"{name}: brk calls of a row in bulk, on {server}", "0", f"{heap:.2f}"
        for other in [variant for variant in processor if variant not in ("floor", "shipped")]:
            of_submissions = name.startswith("submissions") and server == "18"
            ratio = processor["shipped"]["median"] / processor[other]["median"]
            yield (
                f"{name}: processor time of a row in bulk to {other}, on {server}",
                "≤ 0.70" if of_submissions else "",
                f"{ratio:.2f}",
            )
            for call, goal in CALL_GOALS.items():
                took = result["counted"][name][call]
                ratio = took["shipped"]["median"] / took[other]["median"]
                yield (
                    f"{name}: instructions of a new connection's {call} to {other}, on {server}",
                    goal if of_submissions else "",
                    f"{ratio:.2f}",
                )


def _growth_goals(result: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for axis, tables in result.items():
        for table, sizes in tables.items():
            smallest, *_, largest = sizes if len(sizes) > 1 else [*sizes, *sizes]
            goal = "" if axis == "organisations of the user" or table.endswith("without triggers") else "≤ 1.2"
            yield f"{table}: {axis}, {int(largest):,} to {int(smallest):,}", goal, _spread(sizes[largest])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rows(part: dict[str, Any]) -> str:
    return f"{part['size']['submissions']:,} submissions"


def _ratio(variant: dict[str, Any]) -> float:
    median: float = variant["ratio"]["median"]
    return median


def _spread(variant: dict[str, Any]) -> str:
    ratio = variant["ratio"]
    return f"{ratio['median']:.2f} ({ratio['lower']:.2f} to {ratio['upper']:.2f})"


def draw(output: Path) -> None:
    """Draw the plots, where matplotlib is installed."""
    if importlib.util.find_spec("matplotlib") is None:
        click.echo("no plots: pip install -e '.[bench]' brings matplotlib", err=True)
        return
    from benchmarks import plots  # noqa: PLC0415  (matplotlib may be missing, and takes a second)

    plots.draw(read(output), output)
