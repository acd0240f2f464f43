"""Queries of the platform's tables: how their text is made, sent and read."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, LiteralString
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors as pg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import dict_row
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader
from psycopg.types.string import TextLoader

from sessiondb import preconditions, resources
from sessiondb.connection import Connection, platform_path, platform_schema, trusted
from sessiondb.errors import SessiondbError
from sessiondb.installation import Installation, installation, refuse_other
from sessiondb.output import JsonText

Row = dict[str, Any]


def _or_text(loader: type[Loader]) -> type[Loader]:
    """Return a loader that gives dates that Python cannot represent (infinity, BC) as PostgreSQL writes them."""

    class OrText(loader):  # type: ignore[misc, valid-type]
        def load(self, data: Buffer) -> Any:
            try:
                return super().load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return OrText


_RANGES = [f"{of}{kind}" for of in ("int4", "int8", "num", "date", "ts", "tstz") for kind in ("range", "multirange")]

LOADERS: dict[str, type[Loader]] = {
    # in Python a day ends before 24:00, an interval has no months, and an open range ends at None
    **dict.fromkeys(["time", "timetz", "interval", "bytea", *_RANGES], TextLoader),
    "date": _or_text(DateLoader),
    "timestamp": _or_text(TimestampLoader),
    "timestamptz": _or_text(TimestamptzLoader),
}
"""How values are read for output if Python would write them differently from PostgreSQL."""


class _JsonLoader(TextLoader):
    """Reads json as it is: Python lacks some of its numbers, limits its depth, and keeps one of two equal keys."""

    def load(self, data: Buffer) -> JsonText:
        return JsonText(bytes(data).decode())


_SOUND: WeakKeyDictionary[Connection, tuple[Installation, Sequence[str] | None]] = WeakKeyDictionary()
"""What was found on each connection, and for which tables: a command asks several times, and they are examined once."""


def require_installed(connection: Connection, only: Sequence[str] | None = None) -> Installation:
    """Return what is installed, as :func:`sessiondb.preconditions.require_installed`, once for the same tables."""
    there, known = _SOUND.get(connection, (None, ()))
    if there is None or known not in (None, only):
        there, _ = _SOUND[connection] = preconditions.require_installed(connection, only), only
    return there


def require_readable(connection: Connection) -> None:
    """Refuse a platform that has changed, as :func:`require_installed`, but for queries that need no installation."""
    if connection not in _SOUND:
        refuse_other(installation(connection), older=True)
        preconditions.require_columns(connection)


def of_platform(connection: Connection, query: str) -> LiteralString:
    """Return a query with the platform's schema, in whose name a percent sign must not look like a placeholder."""
    schema = platform_schema(connection)
    return trusted(resources.with_platform(query, schema.replace("%", "%%")))


def query(connection: Connection, name: str) -> LiteralString:
    """Return a query of ``sql/queries/`` with the platform's schema put in."""
    return of_platform(connection, resources.query(f"queries/{name}"))


def with_course(query: str, there: Installation) -> str:
    """Return a query with the path to the course, put in after the schema, for which a name on it may be mistaken."""
    query = resources.with_citus(query, is_distributed=there.distributed)
    # psycopg would take a percent sign in a name of the platform for a placeholder
    return resources.with_course_path(query, [piece.replace("%", "%%") for piece in there.course_pieces or []])


def people(connection: Connection) -> str:
    """Return the query of the users that this role may read, with the columns that ``queries/people.sql`` explains."""
    found = connection.execute(trusted(resources.query("queries/people"))).fetchone()
    return str(found[0]) if found else NO_PEOPLE


NO_PEOPLE = (
    "SELECT NULL::pg_catalog.uuid AS id, NULL::pg_catalog.text AS login, NULL::pg_catalog.text AS name,"
    " NULL::pg_catalog.text AS label WHERE false"
)
"""The same for a role that may read no users."""


def one(connection: Connection, call: LiteralString, arguments: Mapping[str, Any]) -> Row:
    """Return the row that a call of a function of sessiondb returns.

    Raises:
        SessiondbError: this role may not use the platform's schema.
        psycopg.Error: what the function raises.
    """
    require_installed(connection, preconditions.STAFFS_TABLES)
    with connection.cursor(row_factory=dict_row) as cursor:
        try:
            with platform_path(connection):
                row = cursor.execute(call, arguments).fetchone()
        except pg.SyntaxError as error:  # PostgreSQL 14, of table.column%TYPE in a schema that the role may not use
            raise SessiondbError(
                f'this role may not use schema "{platform_schema(connection)}"', "GRANT it USAGE on that schema."
            ) from error
    assert row is not None  # noqa: S101  (each of the functions returns one row or raises)
    return row


def rows(connection: Connection, query: str, **arguments: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query of the platform's tables, each name of which carries its schema."""
    with platform_path(connection):
        # with arguments, even an empty set, psycopg reads "%%" as "%"
        return connection.execute(trusted(query), arguments).fetchall()


def stream(connection: Connection, query: str, arguments: Mapping[str, Any]) -> Generator[Row, None, None]:
    """Yield the rows of a query as they arrive, with values as PostgreSQL writes them where Python would not.

    Raises:
        SessiondbError: as :func:`require_readable`.
    """
    require_readable(connection)
    with platform_path(connection), connection.cursor(name="sessiondb_show", row_factory=dict_row) as cursor:
        for kind, loader in (LOADERS | {"json": _JsonLoader, "jsonb": _JsonLoader}).items():
            cursor.adapters.register_loader(kind, loader)
        cursor.itersize = FETCHED
        cursor.execute(trusted(query), arguments)
        yield from cursor


FETCHED = 2000
"""How many rows are fetched at once."""
