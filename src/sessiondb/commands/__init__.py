"""The commands, a module for each kind, and what they share: options, and how a command is made."""

from __future__ import annotations

import functools
import math
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from sessiondb.passwords import is_address

if TYPE_CHECKING:
    from sessiondb.database import Database


class Options:
    """The options that every command takes, before or after its name."""

    def __init__(self) -> None:
        self.dsn: str | None = None
        self.schema: str | None = None
        self.format = "table"
        self.verbose = False
        self.changes = False

    @property
    def json(self) -> bool:
        """Whether the result is to be one JSON document."""
        return self.format == "json"

    @property
    def database(self) -> Database:
        """The database that -d or the environment names, with the schema of --schema."""
        from sessiondb.database import Database, conninfo

        return Database(conninfo(self.dsn), self.schema)

    @property
    def changing(self) -> Database:
        """The same for a command that changes it, which a terminal that is closed does not stop half-way."""
        self.changes = True
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        return self.database


class Seconds(click.FloatRange):
    """A number of seconds, no more than PostgreSQL takes for a timeout (24 days), and no NaN, which any range lets in.

    Args:
        least: the smallest.
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
    """A name that is sent to the server: no database address, whose password would be written into its log."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name, or refuse the text."""
        if is_address(str(value)):
            self.fail(f"{value!r} looks like the address of a database; give that with -d.", param, ctx)
        return value


_pass_options = click.make_pass_decorator(Options, ensure=True)


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and value is not False:
        setattr(context.ensure_object(Options), str(parameter.name), value)


def common_options(formats: tuple[str, ...] = ("table", "json")) -> Callable[[Any], Any]:
    """Give a command the options of all commands, and the object that keeps them."""
    options = (
        click.option(
            "-d",
            "--dsn",
            metavar="DSN",
            expose_value=False,
            callback=_keep,
            help="URI, 'key=value ...' or service=NAME of the database; default "
            "SESSIONDB_DATABASE_URL, DATABASE_URL, then libpq's PG* variables.",
        ),
        click.option(
            "--schema",
            type=Name(),
            metavar="NAME",
            expose_value=False,
            callback=_keep,
            help="Schema of the platform's tables; default where sessiondb is installed, else public.",
        ),
        click.option(
            "--format",
            type=click.Choice(formats),
            expose_value=False,
            callback=_keep,
            help="How to print the result; default table.",
        ),
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=_keep,
            help="Show every statement of apply, rollback and plan, and the cause of an error.",
        ),
    )

    def decorate(function: Any) -> Any:
        return functools.reduce(lambda f, option: option(f), reversed(options), function)

    return decorate


def command(
    name: str, *, group: click.Group | None = None, formats: tuple[str, ...] = ("table", "json")
) -> Callable[[Any], Any]:
    """Make a function a command, with the options of all commands; its first argument holds them."""

    def decorate(function: Any) -> Any:
        make = group.command if group else click.command
        return make(name)(common_options(formats)(_pass_options(function)))

    return decorate
