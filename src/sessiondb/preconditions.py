"""What a command makes sure of before it reads or runs anything of the platform."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg.pq import TransactionStatus

from sessiondb import ledger, objects, resources
from sessiondb.citus import is_distributed
from sessiondb.connection import Connection, platform_path, trusted
from sessiondb.errors import SessiondbError
from sessiondb.findings import catalog_checks, other_schema, without_errors
from sessiondb.installation import Installation, installation, refuse_other

PARTLY_INSTALLED = "sessiondb is only partly installed"

STAFFS_TABLES = ("orgs", "org_members", "courses", "sessions")
"""What the commands for organisations, members and sessions read: they do not wait for who has locked the others."""

_COLUMNS = ("preflight", ["required_columns"])
_CITUS = ("preflight", ["citus"])
_PATH = ("preflight", ["search_path"])
_TYPES = ("preflight", ["column_types"])


def require_installed(connection: Connection, only: Sequence[str] | None = None) -> Installation:
    """Return what is installed, and refuse what the commands cannot work with; reads the catalogs only.

    Args:
        connection: in a transaction, the tables of the platform are locked until it ends, so that they stay these.
        only: the names of the tables that are read; None for all.

    Raises:
        SessiondbError: sessiondb is not installed or only partly installed, or the platform has changed.
    """
    there = installation(connection)
    if there is None:
        ledger.require_visible(connection)
        hint = next((finding.fix_line for finding in other_schema(connection)), "Install it: sessiondb apply")
        raise SessiondbError("sessiondb is not installed in this database", hint)
    refuse_other(there, older=True)
    if objects.missing_functions(connection):
        raise SessiondbError(f"{PARTLY_INSTALLED} in this database", "Complete it: sessiondb apply")
    absent = hold_tables(connection, is_installed=True, only=only)
    with connection.transaction():
        connection.execute("SELECT set_config('sessiondb.course_path', %s, true)", [there.course_path or ""])
        _refuse_first(connection, _PATH, _CITUS, ("checks", ["table_owners", "course_path"]), _COLUMNS, _TYPES)
        _refuse_absent(absent)
    for gone in (o for o in objects.missing(connection) if o.kind == "column"):
        raise SessiondbError(f"column {gone.parent}.{gone.name} does not exist", "See: sessiondb check")
    return there


def require_columns(connection: Connection, *, all_tables: bool = False) -> None:
    """Refuse to read a platform that lacks a table or column: without it, ``s.status`` would call ``status(s)``.

    Also one in which another role has created a table in the place of one of the platform.

    Args:
        connection: in a transaction, the tables that are read are locked until it ends, so that they stay these.
        all_tables: whether enrolments and submissions are read, too.

    Raises:
        SessiondbError: for the first that is missing or has another type.
    """
    absent = hold_tables(connection, is_installed=False, only=None if all_tables else STAFFS_TABLES)
    _refuse_first(connection, _PATH, ("checks", ["table_owners"]), ("preflight", ["other_schema"]), _COLUMNS, _TYPES)
    _refuse_absent(absent)


def require_search_path(connection: Connection) -> None:
    """Refuse to run the platform's code under a search_path with a schema of another role.

    Raises:
        PlatformRefusedError: the initial search_path of the connection is such a path.
    """
    without_errors(catalog_checks(connection, _PATH))


def require_owners(connection: Connection) -> None:
    """Refuse to read a platform in which another role has created a table in the place of one of the platform.

    Raises:
        SessiondbError: for the first.
    """
    absent = hold_tables(connection, is_installed=False)
    _refuse_first(connection, ("checks", ["table_owners"]), _TYPES)
    _refuse_absent(absent)


def hold_tables(connection: Connection, *, is_installed: bool, only: Sequence[str] | None = None) -> list[str]:
    """Lock the platform's tables, so that until the transaction ends no other table gets the name of one.

    Args:
        connection: to the platform's database; nothing is done where no transaction is open.
        is_installed: whether the tables on the path to the course are known, which are locked, too.
        only: the names of those that are read; None for all.

    Returns:
        The names of those that do not exist, which nothing keeps another role from creating.

    Raises:
        SessiondbError: a table or a column was renamed meanwhile.
    """
    # Citus would lock them on every node
    if connection.info.transaction_status == TransactionStatus.IDLE or is_distributed(connection):
        return []
    path = "SELECT j.step ->> 'to' FROM sessiondb.installation AS i, jsonb_array_elements(i.course_joins) AS j (step)"
    known = f"ARRAY({path})" if is_installed and "submissions" in (only or ledger.TABLES) else "'{}'::text[]"
    tables = resources.query("queries/held_tables", "current_setting('sessiondb.schema')", known, "%(only)s::name[]")
    with connection.transaction():
        ((statement, names, oids),) = connection.execute(trusted(tables), {"only": only and [*only]}).fetchall()
        if statement:
            with platform_path(connection):
                connection.execute(trusted(statement))
        # now, which the snapshot of a transaction that only reads is not
        meanwhile = resources.query("queries/renamed_meanwhile", "%s::text[]", "%s::oid[]")
        renamed = connection.execute(trusted(meanwhile), [names, oids]).fetchone()
    if renamed:
        raise SessiondbError(f"{renamed[0]} was renamed or dropped while this command waited for it", "Run it again.")
    return [name for name, oid in zip(names or (), oids or (), strict=True) if oid is None]


def _refuse_absent(names: Sequence[str]) -> None:
    for name in names:
        raise SessiondbError(f"table {name} was renamed or dropped while this command was working", "Run it again.")


def _refuse_first(connection: Connection, *folders: tuple[str, Sequence[str]]) -> None:
    for finding in catalog_checks(connection, *folders):
        raise SessiondbError(finding.detail.rstrip("."), finding.fix_line)
