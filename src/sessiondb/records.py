"""Organisations, courses, members and sessions: created, changed and listed, with one SQL call each."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, LiteralString
from uuid import UUID

from psycopg import errors as pg

from sessiondb import naming, queries
from sessiondb.connection import Connection
from sessiondb.errors import SessiondbError
from sessiondb.queries import Row


def _write(connection: Connection, call: LiteralString, arguments: Mapping[str, Any]) -> Row:
    """Return the row that a call returns, as :func:`sessiondb.queries.one`, or say why the platform refuses it."""
    try:
        return queries.one(connection, call, arguments)
    except pg.CheckViolation as error:
        raise _refused(connection, arguments, error) from error
    except pg.NotNullViolation as error:
        if error.diag.column_name == "created_by":
            message = "the platform requires the user who creates a session"
            raise SessiondbError(message, "Add --by USER.") from error
        insert = _insert(connection, arguments) if error.diag.table_name == "sessions" else ""
        if not insert.startswith("INSERT"):
            raise
        message = f"the platform requires {error.diag.column_name} of a session, which this command does not fill"
        hint = f"Give values for what is in angle brackets: {insert}"
        raise SessiondbError(message, hint) from error
    except pg.ForeignKeyViolation as error:
        raise SessiondbError(
            f"unknown reference: {error.diag.message_detail}", "Give the id of a row that exists."
        ) from error


def _insert(connection: Connection, arguments: Mapping[str, Any]) -> str:
    """Return the statement that creates a session where the platform requires more than the command fills."""
    query = "SELECT sessiondb.org_command('session', %(org)s, %(course)s)"
    ((command,),) = connection.execute(query, arguments).fetchall()
    return str(command)


def _refused(connection: Connection, arguments: Mapping[str, Any], error: pg.CheckViolation) -> SessiondbError:
    """Return why the platform refuses what was given, with the values that it accepts or with its rule."""
    table = error.diag.table_name or ""
    for name, (of_table, column) in naming.VALUES.items():
        values = naming.allowed(connection, table, column) if of_table == table else []
        if values and arguments.get(name) not in (None, *values):
            what = "session status" if name == "status" else "role"
            return SessiondbError(f'unknown {what} "{arguments[name]}"', f"The platform knows: {', '.join(values)}")
    given = ", ".join(f'{name} "{value}"' for name, value in arguments.items() if value is not None)
    rule = connection.execute(
        "SELECT pg_get_constraintdef(c.oid) FROM pg_constraint AS c"
        " JOIN pg_class AS t ON t.oid = c.conrelid"
        " JOIN pg_namespace AS n ON n.oid = t.relnamespace"
        " WHERE n.nspname = %s AND t.relname = %s AND c.conname = %s",
        [error.diag.schema_name, table, error.diag.constraint_name],
    ).fetchone()
    return SessiondbError(
        f"constraint {error.diag.constraint_name} of the platform's table {table} refuses {given}",
        f"The constraint is: {rule[0]}" if rule else "See the platform's constraints.",
    )


def create_org(connection: Connection, name: str, slug: str) -> Row:
    """Return the organisation with this slug, created if necessary: ``id``, ``name``, ``slug``, ``created``.

    Raises:
        psycopg.Error: the name or slug is empty, or the platform refuses the row.
    """
    return _write(
        connection,
        "SELECT * FROM sessiondb.create_org(%(name)s, %(slug)s)",
        {"name": name, "slug": slug},
    )


def _with_names(connection: Connection, call: LiteralString, arguments: Mapping[str, Any]) -> Row:
    """Return the membership that a call returns, with the names of its organisation and user."""
    row = _write(connection, call, arguments)
    of_both: LiteralString = (
        "SELECT sessiondb.name_of('org', %(org_id)s) AS org, sessiondb.name_of('user', %(user_id)s) AS \"user\""
    )
    return row | queries.one(connection, of_both, row)


def add_member(connection: Connection, org: UUID, user: UUID, role: str) -> Row:
    """Return the membership, created if necessary: ``org_id``, ``user_id``, ``role``, ``created``, ``org``, ``user``.

    Raises:
        SessiondbError: the platform knows no such user.
        psycopg.Error: there is no such organisation, or the platform refuses the row.
    """
    return _with_names(
        connection,
        "SELECT * FROM sessiondb.add_member(%(org)s::pg_catalog.text, %(user)s, %(role)s)",
        {"org": org, "user": user, "role": role},
    )


def set_member_role(connection: Connection, org: UUID, user: UUID, role: str) -> Row:
    """Return the membership with its new role, as :func:`add_member` does; ``changed`` if it had another one.

    Raises:
        psycopg.Error: the user is not a member, or the platform refuses the role.
    """
    return _with_names(
        connection,
        "SELECT * FROM sessiondb.change_member_role(%(org)s, %(user)s, %(role)s)",
        {"org": org, "user": user, "role": role},
    )


def remove_member(connection: Connection, org: UUID, user: UUID) -> Row:
    """Return the membership that was removed, as :func:`add_member` does.

    Raises:
        psycopg.Error: the user is not a member.
    """
    return _with_names(
        connection,
        "SELECT * FROM sessiondb.remove_member(%(org)s, %(user)s)",
        {"org": org, "user": user},
    )


def create_session(
    connection: Connection, org: UUID, course: UUID, by: UUID | None, title: str | None, status: str
) -> Row:
    """Return the new session: ``id``, ``org_id``, ``course_id``, ``title``, ``status``.

    Raises:
        SessiondbError: the platform knows no such user.
        psycopg.Error: unknown organisation, course or status, an empty title, or the platform refuses the row.
    """
    return _write(
        connection,
        "SELECT * FROM sessiondb.add_session(%(org)s::pg_catalog.text, %(course)s, %(by)s::pg_catalog.uuid, %(title)s,"
        " %(status)s)",
        {"org": org, "course": course, "by": by, "title": title, "status": naming.spelled(connection, status)},
    )


def set_session_status(connection: Connection, session: UUID, status: str) -> Row:
    """Return the session with its new status, as :func:`create_session` does; ``changed`` if it had another one.

    Raises:
        psycopg.Error: unknown session or status.
    """
    return _write(
        connection,
        "SELECT * FROM sessiondb.change_session_status(%(session)s, %(status)s)",
        {"session": session, "status": naming.spelled(connection, status)},
    )


def active_sessions(connection: Connection, org: UUID, course: UUID) -> Generator[Row, None, None]:
    """Yield ``id`` and ``name`` of the active sessions of a course for an organisation, the chosen one first."""
    query = queries.query(connection, "active_sessions")
    return queries.stream(connection, query, {"org": org, "course": course})


def list_orgs(connection: Connection) -> Generator[Row, None, None]:
    """Yield the organisations with the number of their members and active sessions."""
    return queries.stream(connection, queries.query(connection, "list_orgs"), {})


def list_courses(connection: Connection) -> Generator[Row, None, None]:
    """Yield the courses with the number of their sessions."""
    return queries.stream(connection, queries.query(connection, "list_courses"), {})


def list_members(connection: Connection, org: UUID) -> Generator[Row, None, None]:
    """Yield the members of an organisation with their names and roles."""
    queries.require_installed(connection)
    query = queries.query(connection, "list_members").replace("{people}", queries.people(connection).replace("%", "%%"))
    return queries.stream(connection, query, {"org": org})


def list_sessions(
    connection: Connection, org: UUID | None = None, course: UUID | None = None, status: str | None = None
) -> Generator[Row, None, None]:
    """Yield the sessions, newest first, with the slug of the organisation and the title of the course.

    If an organisation, a course or a status is given, only those sessions.
    """
    status = naming.spelled(connection, status, is_asked=True) if status else None
    query = queries.query(connection, "list_sessions")
    return queries.stream(connection, query, {"org": org, "course": course, "status": status})
