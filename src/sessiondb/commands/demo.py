"""demo."""

from __future__ import annotations

from pathlib import Path

import click

from sessiondb.commands import Options, command
from sessiondb.errors import Exit, UsageError


@command("demo")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the server in this directory, with a database for following the guide.",
)
def demo(options: Options, keep: Path | None) -> int:
    """Run the guide's workflow on an embedded PostgreSQL. Without --keep, nothing is left behind.

    \b
    Example:
      sessiondb demo
      sessiondb demo --keep kept
    """
    if options.dsn or options.schema:
        raise UsageError("demo runs on a database of its own", "Leave -d and --schema out.")
    from sessiondb.demo import run

    program = click.get_current_context().find_root().command
    return Exit.DONE if run(program, keep, as_json=options.json, verbose=options.verbose) else Exit.ERROR
