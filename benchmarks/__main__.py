"""The command line of the benchmarks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from benchmarks import apply, backfill, bounds, forms, growth, insert, instructions, platform, report, trainer
from benchmarks.platform import Size
from benchmarks.server import DURABLE, open_server

PARTS = {
    "insert": "linked",
    "forms": "linked",
    "growth": "linked",
    "backfill": "unlinked",
    "backfill-under-traffic": "unlinked",
    "apply": "platform",
    "trainer": "linked",
}
"""What is measured on a server that all share, and the database that it starts from."""

INSTRUCTIONS = "instructions"
"""What is counted on a server of its own."""


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--scale", default=1.0, show_default=True, help="Times 1 M submissions and 100 k users.")
@click.option("--rows", default=100_000, show_default=True, help="Rows of a bulk INSERT or COPY.")
@click.option("--rounds", default=7, show_default=True, help="How often the variants take turns.")
@click.option("--seconds", default=4, show_default=True, help="How long each run of pgbench lasts.")
@click.option("--quick", is_flag=True, help="A tiny platform and one round: does it all run? Says nothing about speed.")
@click.option(
    "--only", multiple=True, type=click.Choice([INSTRUCTIONS, *PARTS]), help="Only this part; may be given again."
)
@click.option(
    "--bounds",
    "committed",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Measure a small platform, write nothing; fail if a ratio is too far from the one in this performance.json.",
)
@click.option("--against", metavar="REV", help="Count the instructions of this revision, or checkout, beside ours.")
@click.option("--server", "bindir", type=click.Path(path_type=Path, exists=True), help="Programs of another server.")
@click.option("-d", "--dsn", metavar="DSN", help="Another server, as a role that may create databases there.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("docs/performance"),
    show_default=True,
    help="Where performance.json and the plots go.",
)
def main(
    scale: float,
    rows: int,
    rounds: int,
    seconds: int,
    quick: bool,
    only: tuple[str, ...],
    committed: Path | None,
    against: str | None,
    bindir: Path | None,
    dsn: str | None,
    output: Path,
) -> None:
    """Measure what sessiondb costs, on an ephemeral server or another one.

    Everything happens in databases of its own, named sessiondb_bench_*, which are dropped at the end. The
    parts that are measured replace those in performance.json, and the others stay; then all plots are drawn again,
    and the tables in README.md and docs/ are updated.

    \b
    Examples:
      python -m benchmarks --quick --output performance
      python -m benchmarks --scale 0.1 --only insert --only growth
      python -m benchmarks --scale 10 -d postgresql://postgres@db.example/postgres
      python -m benchmarks --bounds docs/performance/performance.json
    """
    parts = only or (INSTRUCTIONS, *PARTS)
    if committed:
        before = json.loads(committed.read_text(encoding="utf-8"))
        found = bounds.more_instructions(bindir, before, _tell) if INSTRUCTIONS in parts else []
        if timed := [name for name in parts if name in bounds.TIMED]:
            with open_server(dsn, DURABLE, bindir) as server:
                found += bounds.slower(server, before, timed, _tell)
        if found:
            raise click.ClickException("too far from what is committed:\n" + "\n".join(found))
        return
    if INSTRUCTIONS in parts:
        if why := instructions.skipped():
            _tell(why)
        else:
            _tell(INSTRUCTIONS)
            name, result = instructions.part(bindir, quick, 1 if quick else 2, against, 1 if quick else 2 * rounds + 1)
            report.write(output, {name: result})
    size = platform.QUICK if quick else Size.of_scale(scale, rows)
    few, idle = (1, 0.5) if quick else (min(rounds, 3), 10.0)
    many, lasting = (1, "-t20") if quick else (rounds, f"-T{seconds}")
    growth_rows, largest = (20, 10) if quick else (500, 1_000_000)
    if shared := [name for name in parts if name != INSTRUCTIONS]:
        with open_server(dsn, {} if quick else {**DURABLE, "shared_buffers": "2GB"}, bindir) as server:
            measures: dict[str, Callable[[], Any]] = {
                "insert": lambda: insert.measure(server, size, many, lasting),
                "forms": lambda: forms.measure(server, many if quick else 4 * many, min(size.bulk_rows, 10_000) - 20),
                "growth": lambda: growth.measure(server, size, many if quick else 4 * many, growth_rows, largest),
                "backfill": lambda: backfill.measure(server, few),
                "backfill-under-traffic": lambda: backfill.under_traffic(server, size),
                "apply": lambda: apply.measure(server, size, few, idle),
                "trainer": lambda: trainer.measure(server, many if quick else 2 * many + 1),
            }
            _tell("building the platform")
            platform.build(server, size, {PARTS[name] for name in shared})
            for name in shared:
                _tell(name)
                report.write(output, {name: report.tagged(server.described(), size, quick, measures[name]())})
    click.echo(report.table(report.read(output)))
    report.draw(output)
    report.renew()


def _tell(line: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {line}", err=True)


if __name__ == "__main__":
    main()
