"""The commands, a module for each kind, and what they share: options, and how a command is made."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import signal
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from sessiondb.passwords import is_address

if TYPE_CHECKING:
    from sessiondb.connection import Connection
    from sessiondb.database import Database


@dataclass
class Options:
    """The options that commands share, before or after the name of the command."""

    dsn: str | None = None
    schema: str | None = None
    format: str = "table"
    verbose: bool = False
    limit: int | None = None  # of rows
    wide: bool = False  # all columns of rows
    changes: bool = False  # whether the command changes the database

    @property
    def json(self) -> bool:
        """Whether the result is to be one JSON document."""
        return self.format == "json"

    def named(self, text: str) -> str:
        """Return a sentence for people: without the ids beside names, unless every detail is asked for."""
        from sessiondb import output

        return text if self.verbose else output.without_ids(text)

    @property
    def database(self) -> Database:
        """The database that -d or the environment names, with the schema of --schema."""
        from sessiondb.address import conninfo, named_by
        from sessiondb.database import Database

        return Database(conninfo(self.dsn), self.schema, named_by(self.dsn))

    @property
    def changing(self) -> Database:
        """The same for a command that changes the database, which closing the terminal does not stop half-way."""
        self.changes = True
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        return self.database


class Seconds(click.FloatRange):
    """A number of seconds, at most what PostgreSQL accepts as a timeout (24 days), and not NaN, which is in any range.

    Args:
        least: the smallest value.
    """

    def __init__(self, least: float = 0) -> None:
        super().__init__(min=least, max=2_147_483)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or refuse the text."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return number


class Name(click.types.StringParamType):
    """A name that is sent to the server: refuses a database address, whose password would appear in the server log."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name, or refuse the text."""
        if is_address(str(value)):
            self.fail(f"{value!r} looks like the address of a database; give that with -d.", param, ctx)
        return value


def complete(kind: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return a function that completes names of this kind in a shell; none if the database does not answer quickly.

    Args:
        kind: ``org``, ``course``, ``session``, ``role``, ``status`` or ``migration``.
    """

    def offer(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        from psycopg.conninfo import make_conninfo

        from sessiondb import naming, resources
        from sessiondb.address import conninfo
        from sessiondb.database import Database
        from sessiondb.output import visible

        names: list[str] = []
        with contextlib.suppress(Exception):
            if kind == "migration":
                names = sorted(path.name.removesuffix(".sql") for path in resources.MIGRATIONS.glob("*[!k].sql"))
            else:
                options = context.ensure_object(Options)
                hasty = Database(make_conninfo(conninfo(options.dsn), connect_timeout=2), options.schema)
                with hasty.transaction(read_only=True) as connection:
                    connection.execute("SET LOCAL statement_timeout TO '1s'")
                    names = naming.offered(connection, kind)
        # a line break or a control character would be another entry, or control the terminal
        shown = [name for name in names if visible(name) == name]
        return [name for name in shown if name.lower().startswith(incomplete.lower())]

    return offer


def name_option(kind: str, text: str, *, required: bool = False) -> Callable[[Any], Any]:
    """Return the option for an ``org``, ``course`` or ``session`` by its name or id; the argument is ``KIND_name``.

    Args:
        kind: as :func:`complete` has it.
        text: of the help.
        required: whether the option is required.
    """
    return click.option(
        f"--{kind}",
        f"{kind}_name",
        type=Name(),
        required=required,
        metavar=kind.upper(),
        shell_complete=complete(kind),
        help=text,
    )


def ids(connection: Connection, **names: str | None) -> list[Any]:
    """Return the id of each thing that is named, by its kind; None where no name is given."""
    from sessiondb import naming, output

    given = names.items()
    return [None if name is None else naming.find(connection, kind, name, output.note) for kind, name in given]


_pass_options = click.make_pass_decorator(Options, ensure=True)


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and value is not False:
        setattr(context.ensure_object(Options), str(parameter.name), value)


ROWS = ("table", "json", "csv")
"""How a command prints rows."""

SHOWN = 100
"""Rows of a table if the user gives no limit."""


def common_options(formats: tuple[str, ...] = ("table", "json")) -> Callable[[Any], Any]:
    """Add the options of all commands, and those of commands that print rows, which :class:`Options` holds."""
    kept = functools.partial(click.option, expose_value=False, callback=_keep)
    options = [
        kept(
            "-d",
            "--dsn",
            metavar="DSN",
            help="URI, 'key=value ...' or service=NAME of the database; default "
            "SESSIONDB_DATABASE_URL, DATABASE_URL, then libpq's PG* variables.",
        ),
        kept(
            "--schema",
            type=Name(),
            metavar="NAME",
            help="Schema of the platform's tables; default where sessiondb is installed, else public.",
        ),
        kept("--format", type=click.Choice(formats), help="How to print the result; default table."),
        kept(
            "-v",
            "--verbose",
            is_flag=True,
            help="Show every statement of apply, rollback and plan, ids beside names, and the cause of an error.",
        ),
    ]
    if formats == ROWS:
        most = click.IntRange(min=1, max=1_000_000_000)
        text = f"Maximum number of rows; default {SHOWN} in a table, all in JSON and CSV."
        options += [
            kept("--limit", type=most, metavar="N", help=text),
            kept("--wide", is_flag=True, help="All columns, however wide the lines become."),
        ]
    return lambda function: functools.reduce(lambda f, option: option(f), reversed(options), function)


def print_rows(options: Options, rows: Generator[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Print rows as they arrive.

    Args:
        options: hold the format, the limit, and whether a table has all columns.
        rows: what to print, and one more row if there are more.
        columns: headings and keys of a table.
    """
    from sessiondb import output

    with contextlib.closing(rows):
        if options.format != "table":
            print_all = output.json_rows if options.json else output.csv_rows
            print_all(itertools.islice(rows, options.limit))
            return
        output.table(itertools.islice(rows, options.limit or SHOWN), None if options.wide else columns)
        if options.limit is None and next(rows, None):
            output.note(f"The first {SHOWN} rows; --limit N shows more, --format json or csv all.")


def _tried_again(function: Any) -> Any:
    """Repeat a command that is one transaction if another transaction made it fail."""

    @functools.wraps(function)
    def run(*arguments: Any, **options: Any) -> Any:
        from sessiondb.errors import SessiondbError

        for pause in _PAUSES:
            try:
                return function(*arguments, **options)
            except SessiondbError as error:
                if getattr(error.__cause__, "sqlstate", None) not in _OF_ANOTHER:
                    raise
            time.sleep(pause)
        return function(*arguments, **options)

    return run


_PAUSES = (0.1, 0.5, 2.0)
_OF_ANOTHER = ("40001", "40P01")
"""SQLSTATEs of a serialization failure and of a deadlock."""


def command(
    name: str, *, group: click.Group | None = None, formats: tuple[str, ...] = ("table", "json")
) -> Callable[[Any], Any]:
    """Make a function a command with the options of all commands, which its first argument holds."""

    def decorate(function: Any) -> Any:
        make = group.command if group else click.command
        run = _tried_again(function) if group else function
        return make(name)(common_options(formats)(_pass_options(run)))

    return decorate


def group(name: str, what: str, example: str) -> click.Group:
    """Return a group for commands, with what they are about and an example in its help."""
    return click.Group(name, help=f"{what}\n\n\b\nExample:\n  {example}")
