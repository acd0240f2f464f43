"""What is installed in a database, read only after it is known to belong to a trusted role."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from packaging.version import Version
from psycopg import errors as pg

from sessiondb import __version__, resources
from sessiondb.connection import Connection, trusted
from sessiondb.errors import Finding, PlatformRefusedError, SessiondbError

TABLE_OWNER = "nullif(current_setting('sessiondb.table_owner'), '')::oid"
"""The SQL of the role that is trusted because it owns the platform's tables; NULL if that is not known."""


def is_there(connection: Connection) -> bool:
    """Return whether schema sessiondb exists, from the catalogs alone, before anything in it is read.

    Args:
        connection: under :data:`sessiondb.connection.OUR_PATH`. Its setting ``sessiondb.table_owner`` is the owner of
            the platform's tables.

    Raises:
        PlatformRefusedError: a role that is not trusted has created objects there, or may create some.
        psycopg.errors.LockNotAvailable: such a role may have created some, and did not end its transaction while this
            waited; the detail names the session.
    """
    # now, which the snapshot of a transaction that only reads is not: names are looked up now, too
    ((there, known),) = connection.execute(
        "SELECT to_regnamespace('sessiondb')::oid, current_setting('sessiondb.schema_oid', true)"
    ).fetchall()
    if there is None:
        _remember(connection, 0)
        return False
    if str(there) == known:
        return True
    connection.execute(trusted(resources.query("script/uncommitted", TABLE_OWNER)))
    # one statement: a schema that is renamed to and fro would be there for one look, and gone for the other
    query = resources.query("queries/strangers", TABLE_OWNER)
    found = connection.execute(
        trusted(
            "SELECT n.oid, s.object, s.role, s.granted"  # noqa: S608  (our own)
            f" FROM pg_namespace AS n LEFT JOIN (\n{query}\n) AS s ON true WHERE n.nspname = 'sessiondb'"
        )
    ).fetchall()
    if not found or found[0][0] != there:
        _remember(connection, 0)
        return False
    found = [row[1:] for row in found if row[1] is not None]
    made = [f"{object_} of role {role}" for object_, role, granted in found if granted is None]
    makers = [f"{granted} FROM {role}" for _, role, granted in found if granted is not None]
    extensions = [
        f"EXTENSION {object_.removeprefix('extension ')}" for object_, *_ in found if object_.startswith("extension ")
    ]
    reasons = []
    if made:
        ((tables,),) = connection.execute(trusted(resources.query("queries/possible_platforms"))).fetchall()
        reasons.append(
            (
                f"not all of it belongs to a role that is trusted: {', '.join(made[:5])}"
                f"{f', and {len(made) - 5} more' if len(made) > 5 else ''}",
                f"As a superuser: DROP {'; DROP '.join(extensions)}"
                if len(extensions) == len(made)
                else "If that role owns the platform's tables, run this again with --schema and their schema; there is"
                f" {tables or 'no table enrollments'}. If not, inspect what it created, and drop it; a function that"
                " was given to the owner of the tables could act as that role.",
            )
        )
    if makers:
        names = ", ".join(sorted({role for _, role, granted in found if granted is not None}))
        reasons.append(
            (
                f"a role that is not trusted may create objects there: {names}",
                "; ".join(f"REVOKE {grant} CASCADE" for grant in makers),  # also what it granted to others
            )
        )
    if reasons:
        nothing = "Nothing in schema sessiondb is read or run, because"
        raise PlatformRefusedError(
            [Finding("owners", "error", "schema sessiondb", f"{nothing} {reason}.", fix) for reason, fix in reasons],
            "schema sessiondb is not trusted",
        )
    _remember(connection, there)
    return True


def look_again(connection: Connection) -> None:
    """Look at schema sessiondb again, after waiting for another run.

    Raises:
        PlatformRefusedError, psycopg.errors.LockNotAvailable: as :func:`is_there`.
    """
    connection.execute("SELECT set_config('sessiondb.schema_oid', '', %s)", [not connection.autocommit])
    is_there(connection)


def _remember(connection: Connection, oid: int) -> None:
    """Keep which schema sessiondb was looked at, 0 for none: another role could create or replace it at any moment."""
    connection.execute("SELECT set_config('sessiondb.schema_oid', %s, %s)", [str(oid), not connection.autocommit])


@dataclass(frozen=True)
class Installation:
    """What sessiondb knows of its platform."""

    platform_schema: str  # the schema with sessions, enrollments and submissions
    version: str  # of the sessiondb that applied last
    course_path: str | None  # the columns from a submission to its course, None before they are chosen
    # the SQL expression of the course, split where the name of the submission's row belongs
    course_pieces: list[str] | None
    search_path: str  # of the functions that the platform calls: the initial path of apply's connection, pg_temp last
    # the parameters of the policies for staff, as ``queries/staff.sql`` returns them; None without policies
    staff: dict[str, Any] | None = None
    distributed: bool = False  # whether Citus distributes its tables, for which the code differs


def installation(connection: Connection) -> Installation | None:
    """Return what is installed in this database, None if there is nothing or this role may not see it.

    In a transaction, the lock that reading it leaves keeps a rollback from dropping schema sessiondb.

    Raises:
        PlatformRefusedError: as :func:`is_there`.
    """
    if not is_there(connection):
        return None
    row = connection.execute(
        """
        SELECT c.oid
          FROM pg_namespace AS n
          JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'installation' AND c.relkind = 'r'
         WHERE n.nspname = 'sessiondb' AND has_schema_privilege(n.oid, 'USAGE')
        """
    ).fetchone()
    if row is None:  # in the snapshot; its name may be of another role's by now
        return None
    # a rollback that is about to end may have locked the table, which then no longer exists, or is of another role;
    # once this role has locked it, the schema stays until the transaction ends
    with suppress(pg.UndefinedTable, pg.InvalidSchemaName), connection.transaction():
        connection.execute("LOCK TABLE sessiondb.installation IN ACCESS SHARE MODE")
        if not is_there(connection):
            return None
        row = connection.execute(
            "SELECT i.platform_schema, i.version, i.course_path, i.course_pieces, i.search_path,"
            " nullif(to_jsonb(i) -> 'staff', 'null'),"
            " coalesce(current_setting('sessiondb.citus', true) = 'distributed', false)"
            " FROM sessiondb.installation AS i"
        ).fetchone()
        return Installation(*row) if row else None
    return None


def hold_schema(connection: Connection) -> None:
    """Keep schema sessiondb from being dropped or replaced until the open transaction ends.

    A command that works in several transactions does so in each, before it names anything in the schema.

    Args:
        connection: under :data:`sessiondb.connection.OUR_PATH`.

    Raises:
        PlatformRefusedError: as :func:`is_there`, if this connection found no schema before.
        SessiondbError: there is none, or it is no longer that schema. Nothing in it was read or run.
    """
    ((is_known,),) = connection.execute("SELECT current_setting('sessiondb.schema_oid') NOT IN ('', '0')").fetchall()
    if not is_known:
        is_there(connection)
    try:
        connection.execute(trusted(resources.query("script/hold_schema")))
    except (
        psycopg.ProgrammingError,
        pg.RaiseException,
    ):  # or the new one has no such table, or one that this role may not lock
        raise SessiondbError(
            "schema sessiondb was dropped or replaced while this command was working",
            "What was committed before stays. See: sessiondb status",
        ) from None


def refuse_other(there: Installation | None, *, older: bool) -> None:
    """Refuse a database of a newer version, which may contain what this one does not know, or also of an older one.

    Raises:
        SessiondbError: the database is of such a version.
    """
    installed, own = Version(there.version if there else __version__), Version(__version__)
    if installed > own or (older and installed < own):
        raise SessiondbError(
            f"this database was set up by sessiondb {installed}, and this is sessiondb {own}",
            f"Use sessiondb {installed} or later." if installed > own else "Upgrade it first: sessiondb apply",
        )
