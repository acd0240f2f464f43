"""The rows of students and their links: shown, counted and explained."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from itertools import islice
from uuid import UUID

from sessiondb import preconditions, queries, resources
from sessiondb.connection import Connection, catalogs, trusted
from sessiondb.errors import SessiondbError
from sessiondb.queries import Row


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
    there = queries.require_installed(connection)
    require_session(connection, session)
    of_users = queries.people(connection).replace("%", "%%")

    def query(name: str) -> str:
        text = resources.for_table(resources.query(f"queries/{name}"), what)
        # the names of the platform last, for one of them may look like what is replaced
        return queries.with_course(queries.of_platform(connection, text), there).replace("{people}", of_users)

    name = "show_sessions" if what == "sessions" else "show_unlinked" if unlinked else "show_rows"
    rows = queries.stream(connection, query(name), {"session": session, "unlinked": unlinked, "limit": limit})
    return _with_reasons(connection, rows, query("show_reasons")) if name == "show_unlinked" else rows


def _with_reasons(connection: Connection, rows: Generator[Row], reasons: str) -> Generator[Row]:
    """Add to each row without a session the reason, which is found for many rows at once."""
    with closing(rows):
        while batch := list(islice(rows, queries.FETCHED)):
            pairs = {(row["user_id"], row["course_of_row"]) for row in batch}
            known = {pair for pair in pairs if None not in pair}
            users, courses = [user for user, _ in known], [course for _, course in known]
            found = queries.rows(connection, reasons, users=users, courses=courses)
            of_pair = {(user, course): reason for user, course, reason in found}
            for row in batch:
                course = row.pop("course_of_row")
                lacks = "course_unknown" if course is None else "no_membership"
                yield {**row, "reason": of_pair.get((row["user_id"], course), lacks)}


def explain(connection: Connection, user: UUID | None, course: UUID | None) -> Row:
    """Return why a user's work in a course is in its session, or in none.

    Returns:
        ``{"session_id", "reason", "steps": [{"step", "ok", "detail"}], "fix"}``.
    """
    row = queries.one(
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
    row = queries.one(
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
    query = queries.of_platform(
        connection, "SELECT FROM platform.sessions AS s WHERE s.id OPERATOR(pg_catalog.=) %(session)s"
    )
    if not queries.rows(connection, query, session=session):
        raise SessiondbError(f"there is no session with the id {session}", "List them with: sessiondb session list")


def linked(connection: Connection) -> dict[str, dict[str, int]]:
    """Return how many rows are linked: ``{"enrollments": {"linked", "unlinked"}, "submissions": ...}``."""
    preconditions.require_owners(connection)
    rows = queries.rows(connection, queries.query(connection, "linked"))
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
    return bool(queries.rows(connection, queries.of_platform(connection, active)))


def first_session(connection: Connection) -> str:
    """Return the command that creates an active session, with placeholders for the organisation and the course.

    Where ``session create`` does not fit the platform, it is an INSERT.
    """
    query = "SELECT sessiondb.org_command('session', %(any)s::uuid, %(any)s::uuid) AS command"
    command = str(queries.one(connection, query, {"any": (unknown := UUID(int=0))})["command"])
    if not command.startswith("INSERT "):
        return "sessiondb session create --org ORG --course COURSE --backfill"
    insert = command.replace(f"'{unknown}'", "<org_id>", 1).replace(f"'{unknown}'", "<course_id>", 1)
    return f"{insert}; then: sessiondb backfill"


def is_linkable(connection: Connection) -> bool:
    """Return whether a backfill would link a row now."""
    query = queries.with_course(queries.query(connection, "is_linkable"), queries.require_installed(connection))
    ((found,),) = queries.rows(connection, query)
    return bool(found)


def count_linkable(connection: Connection, org: UUID, course: UUID) -> Row:
    """Return how many rows of a course a backfill would link now, and the names of the organisation and the course.

    Not in the transaction of :func:`create_session` or :func:`set_session_status`: others may wait for that session.

    Returns:
        ``linkable_enrollments``, ``linkable_submissions``, ``org``, ``course``.
    """
    queries.require_installed(connection)
    return queries.one(
        connection,
        "SELECT l.enrollments AS linkable_enrollments, l.submissions AS linkable_submissions,"
        " sessiondb.name_of('org', %(org)s) AS org, sessiondb.name_of('course', %(course)s) AS course"
        " FROM sessiondb.count_linkable(%(course)s) AS l",
        {"org": org, "course": course},
    )


def sessions_for(connection: Connection, user: UUID) -> list[UUID]:
    """Return the sessions to which a user's rows without one would be linked now."""
    queries.require_installed(connection)
    query = "SELECT s.id FROM sessiondb.sessions_for_user(%(user)s) AS s (id)"
    return [id_ for (id_,) in queries.rows(connection, query, user=user)]


def has_unlinked_rows(connection: Connection, user: UUID) -> bool:
    """Return whether a row of a user has no session."""
    queries.require_installed(connection)
    query = " UNION ALL ".join(
        f"SELECT FROM platform.{table} AS r WHERE r.user_id OPERATOR(pg_catalog.=) %(user)s AND r.session_id IS NULL"
        for table in ("enrollments", "submissions")
    )
    return bool(queries.rows(connection, queries.of_platform(connection, f"{query} LIMIT 1"), user=user))
