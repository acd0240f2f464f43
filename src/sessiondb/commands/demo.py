"""demo."""

from __future__ import annotations

from pathlib import Path

import click

from sessiondb.commands import Options, command
from sessiondb.errors import Exit


@command("demo")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the database in this directory.",
)
def demo(options: Options, keep: Path | None) -> int:
    """Run the guide's workflow on an embedded PostgreSQL; nothing is left behind.

    \b
    Example:
      sessiondb demo
    """
    from sessiondb.demo import tell

    program = click.get_current_context().find_root().command
    return Exit.DONE if tell(program, keep, as_json=options.json) else Exit.ERROR
