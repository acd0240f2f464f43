"""Organisations, courses, members, sessions and the rows that are linked to them: one SQL call each."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from difflib import get_close_matches
from itertools import islice
from typing import Any, LiteralString
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors as pg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import dict_row
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader
from psycopg.types.string import TextLoader

from sessiondb import preconditions, resources
from sessiondb.connection import Connection, catalogs, platform_path, platform_schema, trusted
from sessiondb.errors import SessiondbError, UnclearNameError
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


def _require_readable(connection: Connection) -> None:
    """Refuse a platform that has changed, as :func:`require_installed`, but for queries that need no installation."""
    if connection not in _SOUND:
        refuse_other(installation(connection), older=True)
        preconditions.require_columns(connection)


def _one(connection: Connection, call: LiteralString, arguments: Mapping[str, Any]) -> Row:
    require_installed(connection, preconditions.STAFFS_TABLES)
    with connection.cursor(row_factory=dict_row) as cursor:
        try:
            with platform_path(connection):
                row = cursor.execute(call, arguments).fetchone()
        except pg.SyntaxError as error:  # PostgreSQL 14, of table.column%TYPE in a schema that the role may not use
            raise SessiondbError(
                f'this role may not use schema "{platform_schema(connection)}"', "GRANT it USAGE on that schema."
            ) from error
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
    assert row is not None  # noqa: S101  (each of the functions returns one row or raises)
    return row


def _insert(connection: Connection, arguments: Mapping[str, Any]) -> str:
    """Return the statement that creates a session where the platform requires more than the command fills."""
    query = "SELECT sessiondb.org_command('session', %(org)s, %(course)s)"
    ((command,),) = connection.execute(query, arguments).fetchall()
    return str(command)


def _refused(connection: Connection, arguments: Mapping[str, Any], error: pg.CheckViolation) -> SessiondbError:
    """Return why the platform refuses what was given, with the values that it accepts or with its rule."""
    table = error.diag.table_name or ""
    for name, (of_table, column) in _VALUES.items():
        values = allowed(connection, table, column) if of_table == table else []
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


_SIMILAR = 5
"""So many similar names are found at most."""

_KINDS = {
    "user": ("user", "users", "Check the e-mail or the name, or give the id."),
    "course": ("course", "courses", "List them with: sessiondb course list"),
    "org": (
        "organisation",
        "organisations",
        "List them with: sessiondb org list; create one with: sessiondb org create --name NAME --slug SLUG",
    ),
    "session": ("session", "sessions", "List them with: sessiondb session list"),
}
"""Singular and plural of what a command names, and a hint where to find it."""


def find(
    connection: Connection,
    kind: str,
    name: str,
    say: Callable[[str], object],
    within: tuple[UUID | None, UUID | None] | None = None,
) -> UUID:
    """Return the id of a user, course, organisation or session.

    Args:
        connection: as :meth:`sessiondb.database.Database.connect` yields it.
        kind: ``user``, ``course``, ``org`` or ``session``.
        name: its id, which need not exist, or a name that people use.
        say: receives what was found by a name, except by a slug, which is as clear as an id.
        within: the organisation and the course of the session, where the command has options for them.

    Raises:
        UnclearNameError: several match the name, or none does.
    """
    org, course = within or (None, None)
    # not all that UUID() takes: shell_name() excludes what is an id here, and nothing else
    if not (org or course) and re.fullmatch("[0-9a-fA-F]{32}", name.replace("-", "")):
        return UUID(name)
    noun, nouns, hint = _KINDS[kind]
    require_installed(connection)
    with platform_path(connection), connection.cursor(row_factory=dict_row) as cursor:
        query: LiteralString = "SELECT n.id, n.name, n.found_by FROM sessiondb.find_named(%(kind)s, %(name)s) AS n"
        if org or course:
            query = _query(connection, "sessions_within")
        asked = {"kind": kind, "name": name, "org": org, "course": course}
        found = cursor.execute(query, asked).fetchall()
        apart: dict[UUID, str] = {}
        if kind == "session" and len(found) > 1:
            query = _query(connection, "sessions_apart")
            rows = cursor.execute(query, {"ids": [row["id"] for row in found]}).fetchall()
            apart = {row["id"]: f" ({row['apart']})" for row in rows}
    candidates = [f"{row['id']}  {row['name']}{apart.get(row['id'], '')}" for row in found]
    if not found and (hidden := _hidden_names(connection, kind)):
        way = f"Give the id of the {noun}, or use a role that may read every row there."
        raise UnclearNameError(f'this role can read no {noun} "{name}": {hidden}', [], way)
    if not found and not connection.execute(trusted(resources.query("queries/columns_looked_for")), asked).rowcount:
        what = "e-mails" if kind == "user" and "@" in name else "names"
        raise UnclearNameError(
            f'no {what} of {nouns} are known, so "{name}" cannot be looked up', [], f"Give the id of the {noun}."
        )
    if not found:
        where = " of this organisation" * bool(org) + " in this course" * bool(course)
        raise UnclearNameError(f'there is no {noun} "{name}"{where}', [], hint)
    if found[0]["found_by"] == "near":
        more = ["..."] if len(found) == _SIMILAR else []
        raise UnclearNameError(f'there is no {noun} "{name}"; the most similar names are', candidates + more, hint)
    if len(found) > 1:
        number, more = ("more than 20", ["..."]) if len(found) > 20 else (str(len(found)), [])
        options = [option for option, given in (("--org", org), ("--course", course)) if within and not given]
        hint = "Give the id of one of them" + f", or its {' or '.join(options)}" * bool(options) + "."
        raise UnclearNameError(f'"{name}" is the name of {number} {nouns}', [*candidates[:20], *more], hint)
    if found[0]["found_by"] != "slug":
        say(f"{noun.capitalize()} {found[0]['name']}: {found[0]['id']}")
    if found[0]["found_by"] == "both":
        say(f'"{name}" is its slug; another {noun} has it as its name, and is found by its id.')
    return UUID(str(found[0]["id"]))


def _hidden_names(connection: Connection, kind: str) -> str:
    """Return what keeps the role from reading all names of a kind, or nothing."""
    query = trusted(resources.query("queries/hidden_names", f"{resources.literal(kind)}::text"))
    return ", and ".join(
        f"row level security may hide rows of {table}" if may_read else f"it may not read {table}"
        for table, may_read in connection.execute(query)
    )


def create_org(connection: Connection, name: str, slug: str) -> Row:
    """Return the organisation with this slug, created if necessary: ``id``, ``name``, ``slug``, ``created``.

    Raises:
        psycopg.Error: the name or slug is empty, or the platform refuses the row.
    """
    return _one(
        connection,
        "SELECT * FROM sessiondb.create_org(%(name)s, %(slug)s)",
        {"name": name, "slug": slug},
    )


def _with_names(connection: Connection, call: LiteralString, arguments: Mapping[str, Any]) -> Row:
    """Return the membership that a call returns, with the names of its organisation and user."""
    row = _one(connection, call, arguments)
    names: LiteralString = (
        "SELECT sessiondb.name_of('org', %(org_id)s) AS org, sessiondb.name_of('user', %(user_id)s) AS \"user\""
    )
    return row | _one(connection, names, row)


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
    return _one(
        connection,
        "SELECT * FROM sessiondb.add_session(%(org)s::pg_catalog.text, %(course)s, %(by)s::pg_catalog.uuid, %(title)s,"
        " %(status)s)",
        {"org": org, "course": course, "by": by, "title": title, "status": _spelled(connection, status)},
    )


def _spelled(connection: Connection, status: str, *, is_asked: bool = False) -> str:
    """Return a status in the spelling of the platform, ignoring case; refuse one that is misspelled.

    If ``is_asked``, sessions with it are looked for: then also one that the column could not hold or that is like one.
    """
    listed = allowed(connection, *_VALUES["status"])
    known = listed or _in_use(connection, "status")
    same = [value for value in known if value.lower() == status.lower()]
    if status in known or len(same) > 1:
        return status
    if listed and not same and status == "active":
        raise SessiondbError('sessions cannot have the status "active" any more', "See: sessiondb check active_status")
    near = get_close_matches(status.lower(), known, 1, _NEAR)
    if not same and ((near and listed) or (is_asked and (near or listed))):
        hint = f"Did you mean {near[0]}? " if near else ""
        raise SessiondbError(f'unknown session status "{status}"', f"{hint}The platform knows: {', '.join(known)}")
    return same[0] if same else status


def set_session_status(connection: Connection, session: UUID, status: str) -> Row:
    """Return the session with its new status, as :func:`create_session` does; ``changed`` if it had another one.

    Raises:
        psycopg.Error: unknown session or status.
    """
    return _one(
        connection,
        "SELECT * FROM sessiondb.change_session_status(%(session)s, %(status)s)",
        {"session": session, "status": _spelled(connection, status)},
    )


def count_linkable(connection: Connection, org: UUID, course: UUID) -> Row:
    """Return how many rows of a course a backfill would link now, and the names of the organisation and the course.

    Not in the transaction of :func:`create_session` or :func:`set_session_status`: others may wait for that session.

    Returns:
        ``linkable_enrollments``, ``linkable_submissions``, ``org``, ``course``.
    """
    require_installed(connection)
    return _one(
        connection,
        "SELECT l.enrollments AS linkable_enrollments, l.submissions AS linkable_submissions,"
        " sessiondb.name_of('org', %(org)s) AS org, sessiondb.name_of('course', %(course)s) AS course"
        " FROM sessiondb.count_linkable(%(course)s) AS l",
        {"org": org, "course": course},
    )


def sessions_for(connection: Connection, user: UUID) -> list[UUID]:
    """Return the sessions to which a user's rows without one would be linked now."""
    require_installed(connection)
    query = "SELECT s.id FROM sessiondb.sessions_for_user(%(user)s) AS s (id)"
    return [id_ for (id_,) in _rows(connection, query, user=user)]


def has_unlinked_rows(connection: Connection, user: UUID) -> bool:
    """Return whether a row of a user has no session."""
    require_installed(connection)
    query = " UNION ALL ".join(
        f"SELECT FROM platform.{table} AS r WHERE r.user_id OPERATOR(pg_catalog.=) %(user)s AND r.session_id IS NULL"
        for table in ("enrollments", "submissions")
    )
    return bool(_rows(connection, of_platform(connection, f"{query} LIMIT 1"), user=user))


def shell_name(connection: Connection, kind: str, id_: UUID) -> str:
    """Return an unambiguous name for use in a command, or the id; ``kind`` as for :func:`find`."""
    return str(
        _one(connection, "SELECT sessiondb.shell_name(%(kind)s, %(id)s) AS name", {"kind": kind, "id": id_})["name"]
    )


_NEAR = 0.75
"""How alike a misspelt word must be; "archived" is not meant to be "active"."""

_VALUES = {"role": ("org_members", "role"), "status": ("sessions", "status")}
"""The columns that accept certain words only."""


def allowed(connection: Connection, table: str, column: str) -> list[str]:
    """Return the values that an enum or a CHECK lists for a column of the platform, in their order."""
    query = trusted(resources.query("queries/allowed_values", "%(table)s", "%(column)s"))
    rows = connection.execute(query, {"table": table, "column": column}).fetchall()
    return [value for (value,) in rows]


def _in_use(connection: Connection, kind: str) -> list[str]:
    """Return the roles or statuses in use on the platform, at most 1000."""
    _require_readable(connection)
    table, column = _VALUES[kind]
    # not t.role: without such a column, that would call a function role(org_members) of any role
    query = f"SELECT DISTINCT {column}::pg_catalog.text FROM platform.{table} AS t ORDER BY 1 LIMIT 1000"  # noqa: S608
    return [name for (name,) in _rows(connection, of_platform(connection, query)) if name]


def names(connection: Connection, kind: str) -> list[str]:
    """Return what a shell offers for a kind of :func:`find`, a ``role`` or ``status``: at most 1000 slugs or names."""
    if kind in _VALUES:
        return allowed(connection, *_VALUES[kind]) or _in_use(connection, kind)
    require_installed(connection)
    with platform_path(connection):
        rows = connection.execute("SELECT n.name FROM sessiondb.list_names(%s) AS n (name)", [kind]).fetchall()
    return [name for (name,) in rows]


def role_of_students(connection: Connection) -> str:
    """Return the role of a new member: student or, if the platform's list lacks that, of most enrolled members.

    Raises:
        SessiondbError: none of them shows it.
    """
    roles = allowed(connection, "org_members", "role")
    if not roles or "student" in roles:
        return "student"
    _require_readable(connection)
    preconditions.require_columns(connection, all_tables=True)  # enrolments, too
    query = """
        SELECT role::pg_catalog.text
          FROM platform.org_members AS m
         WHERE EXISTS (SELECT FROM platform.enrollments AS e WHERE e.user_id OPERATOR(pg_catalog.=) m.user_id)
         GROUP BY 1
         ORDER BY pg_catalog.count(*) DESC, 1
         LIMIT 1"""
    for (role,) in _rows(connection, of_platform(connection, query)):
        return str(role)
    raise SessiondbError("this platform has no role student", f"Give one of its roles: {', '.join(roles)}")


def active_sessions(connection: Connection, org: UUID, course: UUID) -> Generator[Row, None, None]:
    """Yield ``id`` and ``name`` of the active sessions of a course for an organisation, the chosen one first."""
    query = _query(connection, "active_sessions")
    return _stream(connection, query, {"org": org, "course": course})


def list_orgs(connection: Connection) -> Generator[Row, None, None]:
    """Yield the organisations with the number of their members and active sessions."""
    return _stream(connection, _query(connection, "list_orgs"), {})


def list_courses(connection: Connection) -> Generator[Row, None, None]:
    """Yield the courses with the number of their sessions."""
    return _stream(connection, _query(connection, "list_courses"), {})


def list_members(connection: Connection, org: UUID) -> Generator[Row, None, None]:
    """Yield the members of an organisation with their names and roles."""
    require_installed(connection)
    query = _query(connection, "list_members").replace("{people}", people(connection).replace("%", "%%"))
    return _stream(connection, query, {"org": org})


def list_sessions(
    connection: Connection, org: UUID | None = None, course: UUID | None = None, status: str | None = None
) -> Generator[Row, None, None]:
    """Yield the sessions, newest first, with the slug of the organisation and the title of the course.

    If an organisation, a course or a status is given, only those sessions.
    """
    status = _spelled(connection, status, is_asked=True) if status else None
    query = _query(connection, "list_sessions")
    return _stream(connection, query, {"org": org, "course": course, "status": status})


def show(
    connection: Connection, what: str, *, session: UUID | None, unlinked: bool, limit: int | None
) -> Generator[Row]:
    """Yield the rows of one of the guide's verification queries, as they arrive.

    Args:
        connection: as :meth:`sessiondb.database.Database.connect` yields it.
        what: ``sessions``, ``enrollments`` or ``submissions``.
        session: only this session, or only the rows linked to it.
        unlinked: only rows without a session, each with the ``reason``; or only sessions without rows.
        limit: at most so many rows; all when None.

    Raises:
        SessiondbError: sessiondb is not installed, or there is no such session.
    """
    there = require_installed(connection)
    require_session(connection, session)
    of_users = people(connection).replace("%", "%%")

    def query(name: str) -> str:
        text = resources.for_table(resources.query(f"queries/{name}"), what)
        # the names of the platform last, for one of them may look like what is replaced
        return _with_course(of_platform(connection, text), there).replace("{people}", of_users)

    name = "show_sessions" if what == "sessions" else "show_unlinked" if unlinked else "show_rows"
    rows = _stream(connection, query(name), {"session": session, "unlinked": unlinked, "limit": limit})
    return _with_reasons(connection, rows, query("show_reasons")) if name == "show_unlinked" else rows


def _with_reasons(connection: Connection, rows: Generator[Row], reasons: str) -> Generator[Row]:
    """Add to each row without a session the reason, which is found for many rows at once."""
    with closing(rows):
        while batch := list(islice(rows, _ROWS)):
            pairs = {(row["user_id"], row["course_of_row"]) for row in batch}
            known = {pair for pair in pairs if None not in pair}
            users, courses = [user for user, _ in known], [course for _, course in known]
            found = _rows(connection, reasons, users=users, courses=courses)
            of_pair = {(user, course): reason for user, course, reason in found}
            for row in batch:
                course = row.pop("course_of_row")
                lacks = "course_unknown" if course is None else "no_membership"
                yield {**row, "reason": of_pair.get((row["user_id"], course), lacks)}


_ROWS = 2000
"""How many rows are fetched at once."""


def explain(connection: Connection, user: UUID | None, course: UUID | None) -> Row:
    """Return why a user's work in a course is in its session, or in none.

    Returns:
        ``{"session_id", "reason", "steps": [{"step", "ok", "detail"}], "fix"}``.
    """
    row = _one(
        connection,
        "SELECT sessiondb.explain_link(%(user)s, %(course)s, NULL::pg_catalog.uuid, NULL,"
        " NULL::pg_catalog.uuid) AS document",
        {"user": user, "course": course},
    )
    return dict(row["document"])


def explain_row(connection: Connection, table: str, row_id: UUID | None) -> Row:
    """Return the same for a row of ``enrollments`` or ``submissions``.

    Raises:
        SessiondbError: there is no such row, or the platform's table has no uuid column ``id``.
    """
    uuid = connection.execute(
        "SELECT FROM pg_attribute AS a"
        "  JOIN pg_class AS c ON c.oid = a.attrelid"
        "  JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = current_setting('sessiondb.schema') AND c.relname = %s"
        "   AND a.attname = 'id' AND a.atttypid = 'uuid'::regtype",
        [table],
    )
    if uuid.rowcount == 0:
        raise SessiondbError(
            f"table {table} of this platform has no column id of type uuid", "Use --user and --course instead."
        )
    row = _one(
        connection, "SELECT sessiondb.explain_row(%(table)s, %(id)s) AS document", {"table": table, "id": row_id}
    )
    if row["document"] is None:
        raise SessiondbError(f"there is no row {row_id} in {table}", f"List them with: sessiondb show {table}")
    return dict(row["document"])


def require_session(connection: Connection, session: UUID | None) -> None:
    """Refuse the id of a session that does not exist.

    Raises:
        SessiondbError: an id is given, and no session has it.
    """
    if session is None:
        return
    query = of_platform(connection, "SELECT FROM platform.sessions AS s WHERE s.id OPERATOR(pg_catalog.=) %(session)s")
    if not _rows(connection, query, session=session):
        raise SessiondbError(f"there is no session with the id {session}", "List them with: sessiondb session list")


def linked(connection: Connection) -> dict[str, dict[str, int]]:
    """Return how many rows are linked: ``{"enrollments": {"linked", "unlinked"}, "submissions": ...}``."""
    preconditions.require_owners(connection)
    rows = _rows(connection, _query(connection, "linked"))
    return {table: {"linked": linked, "unlinked": unlinked} for table, linked, unlinked in rows}


def hidden(connection: Connection, tables: Sequence[str]) -> str | None:
    """Return a sentence that says of which of the tables row level security may hide rows, None if of none.

    Args:
        connection: to a database in which sessiondb is installed.
        tables: the names of tables that were counted or listed, without their schema.
    """
    query = resources.query("queries/hidden_remark", f"{resources.literal([*tables])}::text[]")
    with catalogs(connection):
        found = connection.execute(trusted(query)).fetchone()
    return found[0] if found else None


def has_active_session(connection: Connection) -> bool:
    """Return whether a session is active."""
    preconditions.require_columns(connection)
    active = (
        "SELECT FROM platform.sessions AS s WHERE s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active' LIMIT 1"
    )
    return bool(_rows(connection, of_platform(connection, active)))


def first_session(connection: Connection) -> str:
    """Return the command that creates an active session, with placeholders for the organisation and the course.

    Where ``session create`` does not fit the platform, it is an INSERT.
    """
    query = "SELECT sessiondb.org_command('session', %(any)s::uuid, %(any)s::uuid) AS command"
    command = str(_one(connection, query, {"any": (unknown := UUID(int=0))})["command"])
    if not command.startswith("INSERT "):
        return "sessiondb session create --org ORG --course COURSE --backfill"
    insert = command.replace(f"'{unknown}'", "<org_id>", 1).replace(f"'{unknown}'", "<course_id>", 1)
    return f"{insert}; then: sessiondb backfill"


def is_linkable(connection: Connection) -> bool:
    """Return whether a backfill would link a row now."""
    query = _with_course(_query(connection, "is_linkable"), require_installed(connection))
    ((found,),) = _rows(connection, query)
    return bool(found)


def of_platform(connection: Connection, query: str) -> LiteralString:
    """Return a query with the platform's schema, in whose name a percent sign must not look like a placeholder."""
    schema = platform_schema(connection)
    return trusted(resources.with_platform(query, schema.replace("%", "%%")))


def _query(connection: Connection, name: str) -> LiteralString:
    """Return a query of ``sql/queries/`` with the platform's schema put in."""
    return of_platform(connection, resources.query(f"queries/{name}"))


def people(connection: Connection) -> str:
    """Return the query of the users that this role may read, with the columns that ``queries/people.sql`` explains."""
    found = connection.execute(trusted(resources.query("queries/people"))).fetchone()
    return str(found[0]) if found else NO_PEOPLE


NO_PEOPLE = (
    "SELECT NULL::pg_catalog.uuid AS id, NULL::pg_catalog.text AS login, NULL::pg_catalog.text AS name,"
    " NULL::pg_catalog.text AS label WHERE false"
)
"""The same for a role that may read no users."""


def _with_course(query: str, there: Installation) -> str:
    """Return a query with the path to the course, put in after the schema, for which a name on it may be mistaken."""
    query = resources.with_citus(query, is_distributed=there.distributed)
    # psycopg would take a percent sign in a name of the platform for a placeholder
    return resources.with_course_path(query, [piece.replace("%", "%%") for piece in there.course_pieces or []])


def _rows(connection: Connection, query: str, **arguments: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query of the platform's tables, each name of which carries its schema."""
    with platform_path(connection):
        # with arguments, even an empty set, psycopg reads "%%" as "%"
        return connection.execute(trusted(query), arguments).fetchall()


def _stream(connection: Connection, query: str, arguments: Mapping[str, Any]) -> Generator[Row, None, None]:
    _require_readable(connection)
    with platform_path(connection), connection.cursor(name="sessiondb_show", row_factory=dict_row) as cursor:
        for kind, loader in (LOADERS | {"json": _JsonLoader, "jsonb": _JsonLoader}).items():
            cursor.adapters.register_loader(kind, loader)
        cursor.itersize = _ROWS
        cursor.execute(trusted(query), arguments)
        yield from cursor
